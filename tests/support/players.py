"""A player in the bus, as an app runs it, and the rankings and requests that it gets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from moodstream.contracts.events import PlaybackChanged, RequestMade, Song, SongsRanked, expiry, new_id
from moodstream.contracts.moods import Mood
from services.player.main import PlayerSettings, create_service
from services.player.outputs import BrowserOutput, Outcome, Output
from shared.app.service import build_app, create_bus
from shared.bus.connection import Bus
from shared.settings import load
from tests.support.asking import ask

SONGS = tuple(Song(id=f"s{n}", title=f"Song {n}", artist="A") for n in range(4))


def ranked(*songs: Song, **fields: Any) -> SongsRanked:
    values: dict[str, Any] = {
        "offer_id": "o",
        "picked": SONGS[0],
        "mood": Mood.SAD,
        "ranking": (),
        "play": songs,
        "session_id": new_id(),
        "expires_at": expiry(SongsRanked),
    }
    return SongsRanked(**values | fields)


def command(name: str, **body: Any) -> RequestMade:
    return RequestMade(kind="player.command", body={"command": name, **body}, expires_at=expiry(RequestMade))


class ScriptedOutput(BrowserOutput):
    """Does what it is asked, notes it, and fails as often as ``fails`` has outcomes."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.fails: list[Outcome] = []
        self.takes_s = 0.0
        self.already: Outcome | None = None
        """what it plays since before this process came"""

    async def play(self, songs: Any) -> Outcome:
        self.calls.append(f"play {songs[0].id}")
        await asyncio.sleep(self.takes_s)
        return self.fails.pop(0) if self.fails else await super().play(songs)

    async def already_playing(self, songs: Any) -> Outcome | None:
        return self.already

    async def pause(self) -> Outcome:
        self.calls.append("pause")
        return await super().pause()

    async def resume(self) -> Outcome:
        self.calls.append("resume")
        return await super().resume()

    async def set_volume(self, percent: int) -> Outcome:
        self.calls.append(f"volume {percent}")
        return await super().set_volume(percent)


@contextlib.asynccontextmanager
async def player(redis_url: str, output: Output | None = None, **settings: Any) -> AsyncIterator[Bus]:
    """The service as an app runs it; gives its bus. Songs may be cut at once unless settings say otherwise."""
    given = load(PlayerSettings, redis_url=redis_url, **{"song_min_s": 0, **settings})
    bus = create_bus(given)
    app = build_app(bus, create_service(given, bus, output))
    async with app.web.router.lifespan_context(app.web):
        await asyncio.wait_for(app.ready.wait(), 10)
        yield bus


async def playback_where(
    bus: Bus, holds: Callable[[PlaybackChanged], Any], start: str = "0-0", within_s: float = 10
) -> PlaybackChanged:
    """The first playback event after ``start`` that is as expected."""
    async with asyncio.timeout(within_s):
        async for entry in bus.follow({PlaybackChanged: start}, block_ms=50):
            if entry is not None and isinstance(entry[1], PlaybackChanged) and holds(entry[1]):
                return entry[1]
    raise AssertionError("the bus has ended")


async def state_is(bus: Bus, state: str, **kwargs: Any) -> PlaybackChanged:
    return await playback_where(bus, lambda event: event.state == state, **kwargs)


async def status(bus: Bus) -> Any:
    """The answer that ``moodstream player status`` prints."""
    return (await ask(bus, "player.status", {}, timeout_s=3)).result
