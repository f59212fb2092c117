"""Listening without asyncio: an event loop in a thread of its own does the work."""

import asyncio
import threading
from collections.abc import Coroutine, Generator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any, Self, TypeVar

from moodstream.contracts.events import Event, MoodChanged
from moodstream.errors import MoodstreamError
from moodstream.feed import OnGap, warn_of_gap
from moodstream.listening import events

T = TypeVar("T")


class BackgroundLoop:
    """An event loop in a thread; it also works where another loop runs already, as in a notebook."""

    _loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="moodstream", daemon=True)
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._loop = None
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work and give its result, or raise what it raised; Ctrl-C cancels it."""
        if self._loop is None:
            work.close()
            raise MoodstreamError("the client is not open; use it inside `with BlockingClient(...) as client:`")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _live(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        await self._stop.wait()
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=0.5)  # and again: libraries lose cancellations


def iter_moods(
    url: str,
    *,
    cameras: Sequence[str] = (),
    moods: Sequence[str] = (),
    on_gap: OnGap = warn_of_gap,
    prefix: str = "mood:",
) -> Generator[MoodChanged, None, None]:
    """``moods`` without asyncio; ``on_gap`` is called in another thread."""
    only = ["MoodChanged"]
    with closing(iter_events(url, types=only, cameras=cameras, moods=moods, on_gap=on_gap, prefix=prefix)) as heard:
        for event in heard:
            assert isinstance(event, MoodChanged)
            yield event


def iter_events(
    url: str,
    *,
    types: Sequence[str] = (),
    cameras: Sequence[str] = (),
    moods: Sequence[str] = (),
    on_gap: OnGap = warn_of_gap,
    prefix: str = "mood:",
) -> Generator[Event, None, None]:
    """``events`` without asyncio; ``on_gap`` is called in another thread."""
    with BackgroundLoop() as loop:
        heard = events(url, types=types, cameras=cameras, moods=moods, on_gap=on_gap, prefix=prefix)

        async def next_event() -> Event:
            return await anext(heard)

        while True:
            yield loop.run(next_event())
