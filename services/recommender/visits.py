"""What is remembered of a visit: whether the visitor is choosing, and the mood last offered. Kept in Redis, briefly."""

from typing import NamedTuple

from moodstream.contracts.events import SongPicked, SongsOffered
from moodstream.contracts.moods import Mood
from services.recommender.choice.circumstances import Circumstances
from shared.bus.connection import Bus
from shared.bus.reading import Later, Reading

REMEMBERED_S = 24 * 3600
"""A session that never ends, because its tracker died, is forgotten after this."""

OFFER_S = int(SongsOffered.LIFETIME.total_seconds())


class LastOffer(NamedTuple):
    """Of a visit."""

    mood: Mood
    circumstances: Circumstances | None
    """None where a version before them made the offer"""


def _parse_offer(kept: bytes | None) -> LastOffer | None:
    if not kept:
        return None
    mood, _, code = kept.decode().partition(" ")
    return LastOffer(Mood(mood), Circumstances.parse(code) if code else None)


class Visits:
    """Two keys a session; workers on different machines see the same."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def last_offer(self, session_id: str) -> LastOffer | None:
        """What was last offered in this session."""
        return _parse_offer(await self._bus.redis.get(self._offered(session_id)))

    def ask_last_offer(self, reading: Reading, session_id: str) -> Later[LastOffer | None]:
        """The same, with others in one round trip."""
        return reading.ask(lambda redis: redis.get(self._offered(session_id)), _parse_offer)

    async def open_offer(self, session_id: str, offer_id: str, *, replace: bool = False) -> bool:
        """The visitor begins to choose; False when another offer is open, unless this one takes its place.

        True again for the same offer, so that one whose worker died before it was done is made once more.
        """
        key = self._choosing(session_id)
        if replace:
            return bool(await self._bus.redis.set(key, offer_id, ex=OFFER_S))
        async with self._bus.redis.pipeline(transaction=False) as both:
            both.set(key, offer_id, nx=True, ex=OFFER_S)
            both.get(key)
            _, open_now = await both.execute()
        return bool(open_now == offer_id.encode())

    async def is_open(self, session_id: str, offer_id: str) -> bool:
        """Whether the visitor is choosing among the songs of this offer."""
        return bool(await self._bus.redis.get(self._choosing(session_id)) == offer_id.encode())

    async def note_offered(self, session_id: str, mood: Mood, circumstances: Circumstances) -> None:
        """The offer, and what follows from it, is published."""
        await self._bus.redis.set(self._offered(session_id), f"{mood.value} {circumstances.code}", ex=REMEMBERED_S)

    async def close_offer(self, pick: SongPicked) -> None:
        """The visitor has chosen; a late pick leaves a newer offer open."""
        if pick.session_id is not None and await self.is_open(pick.session_id, pick.offer_id):
            await self._bus.redis.delete(self._choosing(pick.session_id))

    def keys_of(self, session_id: str) -> tuple[str, ...]:
        """What is forgotten with the session."""
        return self._choosing(session_id), self._offered(session_id)

    def _choosing(self, session_id: str) -> str:
        return self._bus.key("choosing", session_id)

    def _offered(self, session_id: str) -> str:
        return self._bus.key("offered", session_id)
