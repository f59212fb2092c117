"""A recommender that runs in the loop of the test, and the rest of a site, which speaks to it through Redis."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import uuid4

from moodstream.contracts.events import Event, MoodChanged, SongPicked, SongsOffered, expiry, utc_now
from moodstream.contracts.moods import Mood
from services.recommender.main import RecommenderSettings, create_service
from shared.app.service import build_app, create_bus
from shared.bus.connection import Bus
from shared.settings import Settings, load

E = TypeVar("E", bound=Event)

GROUP = "recommender"


async def until(true: Callable[[], Awaitable[bool]], timeout_s: float = 15) -> None:
    """Return once it is true; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await true():
                return
            await asyncio.sleep(0.01)


def mood_changed(mood: Mood, session: str | None, **fields: Any) -> MoodChanged:
    """What the tracker says when somebody's mood changed."""
    values: dict[str, Any] = {
        "phase": "update",
        "reason": "change",
        "camera_id": "camera",
        "session_id": session,
        "mood": mood,
        "before": Mood.NOBODY,
        "confidence": 0.9,
        "probabilities": None,
        "valence": 0,
        "arousal": 0,
        "faces": 1,
        "since": utc_now(),
        "expires_at": expiry(MoodChanged),
        "model": "test 1",
    }
    return MoodChanged(**(values | fields))


def picked(offer: SongsOffered, position: int = 0, **fields: Any) -> SongPicked:
    """A visitor's pick from an offer."""
    values: dict[str, Any] = {
        "offer_id": offer.id,
        "song_id": offer.songs[position].id,
        "mood": offer.mood,
        "by": "visitor",
        "session_id": offer.session_id,
        "expires_at": expiry(SongPicked),
    }
    return SongPicked(**(values | fields))


class Site:
    """Publishes to the recommender, and looks at what it published."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.session = str(uuid4())

    async def publish_and_wait(self, *events: Event) -> None:
        """Publish, and wait until the recommender has done it all."""
        for event in events:
            await self.bus.publish(event)
        for kind in {type(event) for event in events}:
            await until(partial(self._done, kind))

    async def mood(self, mood: Mood, **fields: Any) -> MoodChanged:
        event = mood_changed(mood, self.session, **fields)
        await self.publish_and_wait(event)
        return event

    async def all(self, kind: type[E]) -> list[E]:
        """Every event of a kind, oldest first."""
        entries = await self.bus.redis.xrange(self.bus.stream(kind))
        return [kind.model_validate_json(fields[b"__data__"]) for _, fields in entries]

    async def _done(self, kind: type[Event]) -> bool:
        stream = self.bus.stream(kind)
        newest = (await self.bus.redis.xrevrange(stream, count=1))[0][0]
        info = next(info for info in await self.bus.redis.xinfo_groups(stream) if info["name"] == GROUP.encode())
        return cast(bool, info["pending"] == 0 and info["last-delivered-id"] == newest)


@contextlib.asynccontextmanager
async def site(redis_url: str, prefix: str | None = None) -> AsyncIterator[Site]:
    """The site without its recommender."""
    bus = create_bus(load(Settings, redis_url=redis_url, prefix=prefix))
    await bus.connect()
    try:
        yield Site(bus)
    finally:
        await bus.close()


@contextlib.asynccontextmanager
async def recommender(redis_url: str, catalogue: Path, **settings: Any) -> AsyncIterator[Site]:
    """The site with its recommender."""
    chosen = load(RecommenderSettings, redis_url=redis_url, catalogue=catalogue, **settings)
    bus = create_bus(chosen)
    app = build_app(bus, create_service(chosen, bus))
    async with site(redis_url, settings.get("prefix")) as around, app.web.router.lifespan_context(app.web):
        async with asyncio.timeout(15):
            await app.ready.wait()
        yield around
        assert app.exit_code == 0
