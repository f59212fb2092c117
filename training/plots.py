"""Pictures of a run and of the data, as PNG files. The only user of matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from training import measures

_MOODS = [str(mood) for mood in MOODS]


def _axes(width: float = 5.0, height: float = 4.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def matrix(
    counts: NDArray[np.integer], rows: Sequence[str], columns: Sequence[str], words: tuple[str, str], out: Path
) -> None:
    """Counts as a table, coloured by each one's share of its row; ``words`` name rows and columns."""
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
    figure, axes = _axes(1.8 + 0.75 * len(columns), 1.4 + 0.6 * len(rows))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(columns)), columns, rotation=30)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylabel(words[0])
    axes.set_xlabel(words[1])
    for (row, column), share in np.ndenumerate(shares):
        text = f"{counts[row, column]}\n{share:.0%}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if share > 0.5 else "black")
    figure.savefig(out)


def confusion(result: Mapping[str, Any], out: Path) -> None:
    matrix(
        np.array(result["confusion"]), _MOODS, _MOODS, ("label", f"read as (accuracy {result['accuracy']:.1%})"), out
    )


def classes(result: Mapping[str, Any], out: Path) -> None:
    """Recall and F1 of each mood with their 95 % intervals."""
    figure, axes = _axes()
    for offset, name in ((-0.18, "recall"), (0.18, "f1")):
        values = np.array([result[name][mood] for mood in _MOODS])
        bounds = np.array([result["intervals_95"][name][mood] for mood in _MOODS]).T
        places = np.arange(len(_MOODS)) + offset
        axes.bar(places, values, 0.34, yerr=np.abs(bounds - values), capsize=3, label=name)
        for place, value in zip(places, values, strict=True):
            axes.text(place, 0.03, f"{value:.2f}", ha="center", color="white")
    axes.set_xticks(range(len(_MOODS)), _MOODS)
    axes.set_ylim(0, 1.1)
    axes.legend(loc="upper right", ncols=2)
    figure.savefig(out)


def reliability(probabilities: NDArray[np.floating], labels: NDArray[np.int64], out: Path) -> None:
    figure, axes = _axes()
    bins = measures.reliability(probabilities, labels)
    axes.plot([0.25, 1], [0.25, 1], color="grey", linewidth=1)
    axes.bar([one.confidence for one in bins], [one.share for one in bins], 0.03, alpha=0.3, label="share of the faces")
    axes.plot([one.confidence for one in bins], [one.accuracy for one in bins], "o-", label="read rightly")
    axes.set_xlabel("confidence")
    axes.set_title(f"calibration error {measures.expected_calibration_error(probabilities, labels):.3f}")
    axes.legend()
    figure.savefig(out)


def risk_coverage(result: Mapping[str, Any], out: Path) -> None:
    figure, axes = _axes()
    _, coverage, risk = np.array(result["risk_coverage"]).T
    chosen = result["abstention"]
    axes.plot(coverage, risk)
    axes.plot([chosen["coverage"]], [chosen["risk"]], "o", label=f"unsure below {chosen['threshold']:.2f}")
    axes.set_xlabel("coverage: share of the faces that are read")
    axes.set_ylabel("risk: share of those read wrongly")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, None)
    axes.legend()
    figure.savefig(out)


def curves(rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Loss and accuracy over the epochs of a run, on Training's changed faces and on PublicTest; its best epoch."""
    figure = Figure(figsize=(9, 4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    epochs = [row["epoch"] for row in rows]
    best = max(rows, key=lambda row: row["accuracy"])
    names = (("loss", "training_loss", "loss"), ("accuracy", "training_accuracy", "accuracy"))
    for place, (title, training, public) in enumerate(names, start=1):
        axes = figure.add_subplot(1, 2, place)
        if training in rows[0]:  # not in the runs of before
            axes.plot(epochs, [row[training] for row in rows], label="Training, changed faces")
        axes.plot(epochs, [row[public] for row in rows], label="PublicTest")
        axes.plot(best["epoch"], best[public], "o", color="black", label=f"most accurate: epoch {best['epoch']}")
        axes.annotate(f"{best[public]:.3f}", (best["epoch"], best[public]), textcoords="offset points", xytext=(6, 6))
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.legend(fontsize=8)
    figure.savefig(out)


def distribution(counts: Mapping[str, Mapping[str, int]], out: Path) -> None:
    """Faces by expression (inner keys) in each part (outer keys)."""
    figure, axes = _axes(7)
    width = 0.8 / len(counts)
    for index, (part, of_part) in enumerate(counts.items()):
        places = np.arange(len(of_part)) + index * width
        bars = axes.bar(places, list(of_part.values()), width, label=part)
        whole = max(1, sum(of_part.values()))
        texts = [f"{count} ({count / whole:.1%})" for count in of_part.values()]
        axes.bar_label(bars, texts, fontsize=6, rotation=90, padding=2)
    axes.set_xticks(np.arange(len(of_part)) + 0.4 - width / 2, list(of_part))
    axes.set_ylabel("faces")
    axes.margins(y=0.2)
    axes.legend()
    figure.savefig(out)


def samples(rows: Mapping[str, NDArray[np.uint8]], out: Path) -> None:
    """A row of faces [N, 48, 48] for each name."""
    figure = Figure(figsize=(9, 1.05 * len(rows)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for place, (name, faces) in enumerate(rows.items(), start=1):
        axes = figure.add_subplot(len(rows), 1, place)
        axes.imshow(np.hstack(list(faces)), cmap="gray", vmin=0, vmax=255)
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
        axes.set_xticks([])
        axes.set_yticks([])
    figure.savefig(out)
