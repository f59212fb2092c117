"""How the memory of processes grows: resident set sizes over time, and the line through them."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from scipy.stats import theilslopes

Samples = list[tuple[float, float]]
"""(seconds after the start, megabytes)"""


def resident_mb(pid: int) -> float:
    """Of a process and its children, such as the one that captures. Raises OSError when one of them has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = [int(line.split()[1]) for line in lines if line.startswith("VmRSS")]
    if not sizes:
        raise ProcessLookupError(f"process {pid} has ended, and nobody has asked how")
    own = sizes[0] / 1000
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(resident_mb(int(child)) for child in children)


def slope_mb_h(samples: Samples, after_s: float) -> float:
    """Theil and Sen's: the median of the slopes between all pairs, which single jumps do not move."""
    later = [one for one in samples if one[0] >= after_s]
    thinned = later[:: max(1, len(later) // 500)]
    times_h, sizes = [seconds / 3600 for seconds, _ in thinned], [size for _, size in thinned]
    return float(theilslopes(sizes, times_h).slope)


class Watch:
    """Looks at processes every ``every_s`` seconds, until it is stopped."""

    def __init__(self, pids: Mapping[str, int], every_s: float) -> None:
        self.samples: dict[str, Samples] = {name: [] for name in pids}
        self._pids, self._every_s = pids, every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        begun = time.monotonic()
        while not self._over.wait(self._every_s):
            for name, pid in self._pids.items():
                with suppress(OSError):  # a child has ended just now
                    self.samples[name].append((time.monotonic() - begun, resident_mb(pid)))
