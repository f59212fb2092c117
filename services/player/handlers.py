"""What is no ranking is put aside like everywhere; those that are one, the leading player follows by itself."""

import logging

from faststream.redis import RedisRouter

from moodstream.contracts.events import SongsRanked
from shared.bus.connection import Bus
from shared.delivery.consume import consume

log = logging.getLogger("moodstream.player")


def create_router(bus: Bus) -> RedisRouter:
    """The router of the player: with its group, entries that cannot be read end in the dead letters."""
    router = RedisRouter()

    @consume(router, bus, SongsRanked, "player")
    async def note(ranked: SongsRanked) -> None:
        log.debug("a ranking of %d songs", len(ranked.play))

    return router
