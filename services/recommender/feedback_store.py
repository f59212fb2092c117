"""What visitors said and what has played, in Redis, each with an expiry. Workers on different machines see the same."""

import json
import logging
import time
from typing import Any

from moodstream.contracts.events import FeedbackGiven, PlaybackChanged
from moodstream.contracts.moods import Mood
from services.recommender.choice.history import Past
from services.recommender.choice.preferences import Preferences
from services.recommender.models.session import Kind
from services.recommender.visits import REMEMBERED_S
from shared.bus.connection import Bus
from shared.bus.reading import Later, Reading

MAX_ENTRIES = 200
"""Of one session or profile; the oldest make room."""

MAX_NEW_PROFILES, DAY_S = 200, 86_400
"""New names in a day; each is kept for months."""

KINDS: dict[str, Kind] = {"like": "liked", "skip": "skipped", "wrong_mood": "wrong_mood"}
"""What happened to a song that somebody said this of."""

log = logging.getLogger("moodstream.recommender")

Entry = dict[str, Any]
"""``kind``, ``song_id``, ``mood``, and ``at`` in seconds since 1970."""

Said = tuple[Later[dict[str, Entry]], Later[str | None]]
"""What a session said, and the name of its profile, if it has one."""


class FeedbackStore:
    """Feedback by session and by profile, and the songs that played lately at this site."""

    def __init__(self, bus: Bus, profile_days: int, heard_minutes: float) -> None:
        self._bus = bus
        self._profile_s = profile_days * 86_400
        self._recently_s = heard_minutes * 60

    async def add(self, given: FeedbackGiven) -> None:
        """Remember what was said; handled twice, it is the same entry."""
        entry = {"kind": given.kind, "song_id": given.song_id, "mood": given.mood, "at": given.at.timestamp()}
        keys = []
        if given.session_id is not None:
            keys.append((self._session_key(given.session_id), REMEMBERED_S))
        if given.profile is not None and await self._takes_profile(given.profile):
            keys.append((self._profile_key(given.profile), self._profile_s))
            if given.session_id is not None:
                await self.use_profile(given.session_id, given.profile)
        for key, lifetime_s in keys:
            async with self._bus.redis.pipeline(transaction=False) as all_:
                all_.hset(key, given.id, json.dumps(entry))
                all_.expire(key, lifetime_s)
                all_.hlen(key)
                *_, length = await all_.execute()
            if length > MAX_ENTRIES:
                await self._drop_oldest(key)

    async def _takes_profile(self, name: str) -> bool:
        """Whether it is known, or one of the new names of this day, which are bounded: anybody may choose names."""
        if await self._bus.redis.hlen(self._profile_key(name)):
            return True
        new, now = self._bus.key("profiles-new"), time.time()
        await self._bus.redis.zremrangebyscore(new, "-inf", now - DAY_S)
        if await self._bus.redis.zcard(new) >= MAX_NEW_PROFILES:
            log.warning("more than %d new profiles in a day: another one is not kept", MAX_NEW_PROFILES)
            return False
        await self._bus.redis.zadd(new, {name: now})
        await self._bus.redis.expire(new, DAY_S)
        return True

    async def use_profile(self, session_id: str, profile: str) -> None:
        """From now on this session knows what the profile likes."""
        await self._bus.redis.set(self._profile_of_key(session_id), profile, ex=REMEMBERED_S)

    async def preferences(self, session_id: str | None) -> Preferences:
        """What a session and its profile like."""
        return preferences_of(_oldest_first(await self._known(session_id))) if session_id is not None else Preferences()

    async def _known(self, session_id: str) -> dict[str, Entry]:
        reading = Reading(self._bus.redis)
        said = self.ask(reading, session_id)
        await reading.run()
        return await self.known(said)

    def ask(self, reading: Reading, session_id: str) -> Said:
        """What a session said, with what others ask, in one round trip."""
        said = reading.ask(lambda redis: redis.hgetall(self._session_key(session_id)), _parse)
        return said, reading.ask(lambda redis: redis.get(self._profile_of_key(session_id)), _name)

    async def known(self, said: Said) -> dict[str, Entry]:
        """What a session said and, where it has one, its profile, by the id of the event that each came with."""
        entries, profile = said[0].value, said[1].value
        return entries | await self._entries(self._profile_key(profile)) if profile else entries

    def ask_recently_played(self, reading: Reading) -> Later[frozenset[str]]:
        """Ids of the songs that played lately, with what others ask, in one round trip."""
        oldest = time.time() - self._recently_s
        return reading.ask(lambda redis: redis.zrangebyscore(self._played_key, oldest, "+inf"), _ids)

    async def list_feedback(self, session_id: str | None, profile: str | None) -> list[Entry]:
        """Everything kept of a session or a profile, oldest first."""
        return _oldest_first(await self._entries(self._key(session_id, profile)))

    async def clear(self, session_id: str | None, profile: str | None) -> int:
        """Forget it; how many entries there were."""
        key = self._key(session_id, profile)
        count = int(await self._bus.redis.hlen(key))
        await self._bus.redis.delete(key)
        return count

    def keys_of(self, session_id: str) -> tuple[str, ...]:
        """What is forgotten with the session; what a profile likes stays."""
        return self._session_key(session_id), self._profile_of_key(session_id)

    async def note_playback(self, playback: PlaybackChanged) -> None:
        """Songs that play are not offered again for a while."""
        if playback.state == "playing" and playback.song is not None and self._recently_s:
            async with self._bus.redis.pipeline(transaction=False) as all_:
                all_.zadd(self._played_key, {playback.song.id: playback.at.timestamp()})
                all_.zremrangebyscore(self._played_key, "-inf", time.time() - self._recently_s)
                all_.expire(self._played_key, int(self._recently_s) + 1)
                await all_.execute()

    async def recently_played(self) -> frozenset[str]:
        """Ids of the songs that played lately."""
        reading = Reading(self._bus.redis)
        played = self.ask_recently_played(reading)
        await reading.run()
        return played.value

    async def _entries(self, key: str) -> dict[str, Entry]:
        """By the id of the event that each came with."""
        return _parse(await self._bus.redis.hgetall(key))

    async def _drop_oldest(self, key: str) -> None:
        entries = await self._entries(key)
        oldest = sorted(entries, key=lambda id_: entries[id_]["at"])[: max(0, len(entries) - MAX_ENTRIES)]
        if oldest:
            await self._bus.redis.hdel(key, *oldest)

    def _key(self, session_id: str | None, profile: str | None) -> str:
        return self._profile_key(profile) if profile is not None else self._session_key(session_id or "")

    def _session_key(self, session_id: str) -> str:
        return self._bus.key("said", session_id)

    def _profile_key(self, profile: str) -> str:
        return self._bus.key("profile", profile)

    def _profile_of_key(self, session_id: str) -> str:
        return self._bus.key("profile-of", session_id)

    @property
    def _played_key(self) -> str:
        return self._bus.key("heard")


def past_of(entries: dict[str, Entry], now: float) -> list[Past]:
    """What was said of songs, in no order; ``now`` in seconds since 1970."""
    return [
        Past(entry["song_id"], KINDS[entry["kind"]], now - entry["at"], entry["mood"] and Mood(entry["mood"]))
        for entry in entries.values()
        if entry["song_id"] is not None
    ]


def preferences_of_all(entries: dict[str, Entry]) -> Preferences:
    """What entries in no order amount to."""
    return preferences_of(_oldest_first(entries))


def preferences_of(entries: list[Entry]) -> Preferences:
    """What the entries, oldest first, amount to: of one song the last like or skip counts."""
    last: dict[str, str] = {}
    wrong = set()
    for entry in entries:
        song = entry["song_id"]
        if song is None:
            continue
        if entry["kind"] == "wrong_mood":
            if entry["mood"] is not None:
                wrong.add((song, Mood(entry["mood"])))
        else:
            last[song] = entry["kind"]
    likes = tuple(song for song, kind in last.items() if kind == "like")
    skips = tuple(song for song, kind in last.items() if kind == "skip")
    return Preferences(likes, skips, frozenset(wrong))


def _oldest_first(entries: dict[str, Entry]) -> list[Entry]:
    return sorted(entries.values(), key=lambda entry: entry["at"])


def _parse(entries: dict[bytes, bytes]) -> dict[str, Entry]:
    return {id_.decode(): json.loads(entry) for id_, entry in entries.items()}


def _name(name: bytes | None) -> str | None:
    return name.decode() if name else None


def _ids(songs: list[bytes]) -> frozenset[str]:
    return frozenset(song.decode() for song in songs)
