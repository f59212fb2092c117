"""A service that does little: each pick becomes a ranking, some picks are bad. ``python -m tests.faults.worker``."""

import asyncio
import os
import signal
import sys

from faststream.redis import RedisRouter

from moodstream.contracts.events import Song, SongPicked, SongsRanked, expiry
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.delivery.consume import Timing, consume
from shared.settings import Settings, load

GROUP = "worker"
TAKES_S = 0.02
LONG_S = 2.0


def create() -> tuple[Settings, Bus, Service]:
    settings = load(Settings)
    bus, router = create_bus(settings), RedisRouter()

    @consume(router, bus, SongPicked, GROUP, Timing())
    async def rank(pick: SongPicked) -> None:
        match pick.song_id:
            case "deadly":
                os.kill(os.getpid(), signal.SIGKILL)
            case "long":
                await asyncio.sleep(LONG_S)
            case "impossible":
                raise ValueError("no such song")
        await asyncio.sleep(TAKES_S)
        song = Song(id=pick.song_id, title=pick.song_id, artist="A")
        await bus.publish(
            SongsRanked.following(
                pick, offer_id="o", picked=song, mood=pick.mood, ranking=(), play=(), expires_at=expiry(SongsRanked)
            )
        )

    return settings, bus, Service("worker", router)


if __name__ == "__main__":
    sys.exit(run_service(create))
