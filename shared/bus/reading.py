"""Questions to Redis of several askers, in one round trip."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """What a question brings, once the reading it belongs to has run."""

    def __init__(self, parse: Callable[[Any], T]) -> None:
        self._parse = parse
        self._answer: Any = None

    def take(self, answer: Any) -> None:
        self._answer = answer

    @property
    def value(self) -> T:
        return self._parse(self._answer)


class Reading:
    """Collects questions, asks them together, and hands out the answers."""

    def __init__(self, redis: Any) -> None:
        self._pipeline = redis.pipeline(transaction=False)
        self._asked: list[Later[Any]] = []

    def ask(self, command: Callable[[Any], object], parse: Callable[[Any], T]) -> Later[T]:
        """Add one command, which is given the pipeline; ``parse`` makes its answer what the asker wants."""
        command(self._pipeline)
        later = Later(parse)
        self._asked.append(later)
        return later

    async def run(self) -> None:
        """Raises what Redis raises."""
        async with self._pipeline as all_:
            for later, answer in zip(self._asked, await all_.execute(), strict=True):
                later.take(answer)
