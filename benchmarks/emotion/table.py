"""The table of figures, and its plot."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Row:
    """One figure, and the bound that it is measured against, if there is one."""

    what: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is no bound."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def of_target(self) -> float | None:
        """How many times better than the bound; below 1 it is not met. None where no ratio is possible."""
        if self.at_least:
            return self.value / self.at_least
        return self.at_most / self.value if self.at_most and self.value else None

    def __str__(self) -> str:
        bound = f">= {self.at_least:g}" if self.at_least is not None else ""
        bound = f"<= {self.at_most:g}" if self.at_most is not None else bound
        ratio = f"{self.of_target:.2f}x" if self.of_target is not None else ""
        verdict = {True: "met", False: "NOT MET", None: ""}[self.met]
        return f"{self.what:<64}{self.value:>9.2f} {self.unit:<9}{bound:<8}{ratio:>7}  {verdict:<8}{self.note}".rstrip()


def load() -> str:
    """How busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def plot(rows: Sequence[Row], path: Path) -> None:
    """Frames a second of ours and others, and every figure as a multiple of its target."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    speeds = [row for row in rows if row.unit == "frames/s"]
    bounds = [row for row in rows if row.of_target is not None]
    figure, (left, right) = pyplot.subplots(2, 1, figsize=(11, 0.32 * (len(speeds) + len(bounds)) + 2))
    _bars(left, [row.what for row in speeds], [row.value for row in speeds], "%.0f", "#4477aa")
    left.set_xlabel("frames per second of one core's time")
    _bars(right, [row.what for row in bounds], [row.of_target or 0 for row in bounds], "%.2f", "#228833")
    right.set_xscale("log")
    right.axvline(1, color="#cc3311")
    right.set_xlabel("times better than the target (right of the line it is met)")
    figure.tight_layout()
    figure.savefig(path)


def _bars(axes: Any, names: list[str], values: list[float], form: str, colour: str) -> None:
    bars = axes.barh(range(len(names)), values, color=colour)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.bar_label(bars, fmt=form, padding=3, fontsize=7)
    axes.invert_yaxis()
