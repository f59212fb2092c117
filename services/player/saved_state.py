"""What the player knows, in Redis, so that another one goes on where this one stopped."""

import logging

from pydantic import ValidationError

from moodstream.contracts.events import Model
from services.player.programme.state_machine import Saved
from shared.bus.connection import Bus
from shared.bus.lease import Lease

log = logging.getLogger("moodstream.player")

KEPT_S = 3600
"""A player that comes later than this begins anew, without music of yesterday."""


class LeaseLost(Exception):
    """Another player leads now."""


class SavedState(Model):
    """What lies in Redis. Players of other versions know these names."""

    programme: Saved = Saved()
    places: dict[str, str] = {}
    """id of the entry after which to go on, by name of the event"""
    seen: tuple[str, ...] = ()
    """ids of the newest events that were taken in"""
    begun: str | None = None
    """id of the ranking that the output was about to be given"""


class StateStore:
    """Only who holds the lease can save."""

    def __init__(self, bus: Bus, lease: Lease) -> None:
        self._bus, self._lease = bus, lease
        self._key = bus.key("player", "kept")

    async def load(self) -> SavedState:
        """What the player before has saved; the beginning where there is nothing that can be read."""
        kept = await self._bus.redis.get(self._key)
        try:
            return SavedState.model_validate_json(kept) if kept else SavedState()
        except ValidationError:
            log.warning("cannot read the state that the previous player saved; starting afresh")
            return SavedState()

    async def save(self, state: SavedState) -> None:
        """Raises LeaseLost."""
        if not await self._lease.keep(self._key, state.model_dump_json(), KEPT_S):
            raise LeaseLost
