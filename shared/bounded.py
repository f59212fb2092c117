"""A dictionary that keeps its newest entries."""

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(dict[K, V]):
    """An entry that is set becomes the newest, even if it was there before; beyond ``size`` the oldest is removed."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def __setitem__(self, key: K, value: V) -> None:
        self.pop(key, None)
        super().__setitem__(key, value)
        while len(self) > self._size:
            del self[next(iter(self))]
