"""How what takes long says what it is doing."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

Progress = Callable[[str], None]
"""Called with a few words."""

WIDTH = 20


class Counted(ABC):
    """A ``Progress`` that is told numbers where there are some, instead of a bar."""

    @abstractmethod
    def __call__(self, text: str) -> None: ...

    @abstractmethod
    def count(self, done: int, total: int, name: str) -> None:
        """``name`` is what was done last."""


def bar(progress: Progress, total: int, clock: Callable[[], float] = time.monotonic) -> Callable[[int, str], None]:
    """Tells how many of a known number are done, as a bar, and how long the others will take at that pace."""
    if isinstance(progress, Counted):
        counted = progress
        return lambda done, name: counted.count(done, total, name)
    began = clock()

    def show(done: int, name: str) -> None:
        full = WIDTH * done // total
        left_s = (clock() - began) / done * (total - done)
        progress(f"[{'#' * full}{'.' * (WIDTH - full)}] {done} of {total}, {_time(left_s)} left: {name}")

    return show


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
