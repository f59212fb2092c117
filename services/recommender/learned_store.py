"""What a site has learned, in Redis: counts that fade, each visit once for each song. All recommenders add to the same.

Counts are kept as they would be worth at ``ORIGIN``, so that adding is one command whatever time has passed, and nobody
has to go over them to let them fade.
"""

import time
from collections.abc import Mapping
from typing import cast

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.choice.circumstances import Circumstances
from services.recommender.choice.learned import Learned, What, by_mood
from services.recommender.visits import REMEMBERED_S
from shared.bus.connection import Bus
from shared.bus.reading import Later, Reading

HALF_LIFE_S = 30 * 86_400.0
ORIGIN = 1_767_225_600.0
"""seconds since 1970: the beginning of 2026"""
FORGOTTEN = 0.05
"""A count below this is taken out."""

Asked = Mapping[Mood, Later[dict[bytes, bytes]]]

_ONCE = """
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('HINCRBYFLOAT', KEYS[1], ARGV[3], ARGV[4])
return 1
"""


class LearnedStore:
    """A hash for each mood, of what happened under which circumstances to which song; a set for each visit, of what it
    has said already."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def note(
        self, session_id: str, mood: Mood, song_id: str, what: What, circumstances: Circumstances | None = None
    ) -> bool:
        """Count it, if this visit has not said the same already; whether it was counted."""
        if mood not in MOODS:
            return False
        keys = [self._key(mood), self._said_key(session_id)]
        said, field = f"{mood.value} {what} {song_id}", f"{what}{_under(circumstances)} {song_id}"
        given = [said, REMEMBERED_S, field, repr(_worth(time.time()))]
        return bool(await self._bus.redis.eval(_ONCE, len(keys), *keys, *given))

    async def read(self, circumstances: Circumstances | None = None) -> dict[Mood, Learned]:
        """By mood, as much as it is worth now; with ``circumstances``, under them."""
        reading = Reading(self._bus.redis)
        asked = self.ask(reading)
        await reading.run()
        return await self.learned(asked, circumstances)

    def ask(self, reading: Reading) -> Asked:
        """The counts, with what others ask, in one round trip."""
        return {mood: self._ask_counts(reading, mood) for mood in MOODS}

    def _ask_counts(self, reading: Reading, mood: Mood) -> Later[dict[bytes, bytes]]:
        return reading.ask(lambda redis: redis.hgetall(self._key(mood)), dict)

    async def learned(self, asked: Asked, circumstances: Circumstances | None) -> dict[Mood, Learned]:
        """What the counts are worth now, under these circumstances; takes out those that have faded."""
        now, found = _worth(time.time()), []
        for mood, counts in asked.items():
            faded = []
            for name, value in counts.value.items():
                what, under, song_id = _parts(name)
                count = float(value) / now
                if count < FORGOTTEN:
                    faded.append(name)
                else:
                    found.append((mood, song_id, what, count * _likeness(what, under, circumstances)))
            if faded:
                await self._bus.redis.hdel(self._key(mood), *faded)
        return by_mood(found)

    async def clear(self, song_id: str | None = None) -> int:
        """Forget a song, or everything; how many songs there were, of all moods."""
        songs = set()
        for mood in MOODS:
            key = self._key(mood)
            names = [one for one in await self._bus.redis.hgetall(key) if song_id in (None, _parts(one)[2])]
            songs |= {_parts(one)[2] for one in names}
            if names:
                await self._bus.redis.hdel(key, *names)
        return len(songs)

    def keys_of(self, session_id: str) -> tuple[str, ...]:
        """What is forgotten with a session: what it has said already; the counts stay."""
        return (self._said_key(session_id),)

    def _key(self, mood: Mood) -> str:
        return self._bus.key("learned", mood.value)

    def _said_key(self, session_id: str) -> str:
        return self._bus.key("learned-from", session_id)


def _worth(now: float) -> float:
    """What a count of now is worth at the origin: the more, the later."""
    return float(2.0 ** ((now - ORIGIN) / HALF_LIFE_S))


def _under(circumstances: Circumstances | None) -> str:
    return "" if circumstances is None else f"/{circumstances.code}"


def _parts(field: bytes) -> tuple[What, str, str]:
    """What happened, the code of the circumstances or nothing, and the song."""
    first, _, song_id = field.decode().partition(" ")
    what, _, under = first.partition("/")
    return cast(What, what), under, song_id


def _likeness(what: What, under: str, now: Circumstances | None) -> float:
    """Whether a song has a mood does not depend on the hour."""
    if now is None or what == "wrong" or not under:
        return 1.0
    return now.likeness(Circumstances.parse(under))
