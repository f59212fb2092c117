"""What visitors said and what was heard, in Redis, each with an expiry. Workers on different machines see the same."""

import json
import time
from typing import Any

from moodstream.contracts.events import FeedbackGiven, PlaybackChanged
from moodstream.contracts.moods import Mood
from services.recommender.choice.preferences import Taste
from services.recommender.visits import REMEMBERED_S
from shared.bus.connection import Bus

MAX_SAID = 200
"""Of one session or profile; the oldest make room."""


class Memory:
    """Feedback by session and by profile, and the songs heard lately at this site."""

    def __init__(self, bus: Bus, profile_days: int, heard_minutes: float) -> None:
        self._bus = bus
        self._profile_s = profile_days * 86_400
        self._heard_s = heard_minutes * 60

    async def keep(self, said: FeedbackGiven) -> None:
        """Remember what was said; handled twice, it is the same entry."""
        entry = {"kind": said.kind, "song_id": said.song_id, "mood": said.mood, "at": said.at.timestamp()}
        places = []
        if said.session_id is not None:
            places.append((self._session(said.session_id), REMEMBERED_S))
        if said.profile is not None:
            places.append((self._profile(said.profile), self._profile_s))
            if said.session_id is not None:
                await self.use_profile(said.session_id, said.profile)
        for key, lifetime_s in places:
            await self._bus.redis.hset(key, said.id, json.dumps(entry))
            await self._bus.redis.expire(key, lifetime_s)
            await self._forget_oldest(key)

    async def use_profile(self, session_id: str, profile: str) -> None:
        """From now on this session knows what the profile likes."""
        await self._bus.redis.set(self._named(session_id), profile, ex=REMEMBERED_S)

    async def taste(self, session_id: str | None) -> Taste:
        """What is known of a session and of its profile, newest last."""
        if session_id is None:
            return Taste()
        said = await self._entries(self._session(session_id))
        profile = await self._bus.redis.get(self._named(session_id))
        if profile:
            said |= await self._entries(self._profile(profile.decode()))
        return taste_of(sorted(said.values(), key=lambda entry: entry["at"]))

    async def said(self, session_id: str | None, profile: str | None) -> list[dict[str, Any]]:
        """Everything kept of a session or a profile, oldest first."""
        return sorted((await self._entries(self._key(session_id, profile))).values(), key=lambda entry: entry["at"])

    async def clear(self, session_id: str | None, profile: str | None) -> int:
        """Forget it; how many entries there were."""
        key = self._key(session_id, profile)
        count = int(await self._bus.redis.hlen(key))
        await self._bus.redis.delete(key)
        return count

    async def forget(self, session_id: str) -> None:
        """The session has ended; what a profile knows stays."""
        await self._bus.redis.delete(self._session(session_id), self._named(session_id))

    async def hear(self, playback: PlaybackChanged) -> None:
        """Songs that play are not offered again for a while."""
        if playback.state == "playing" and playback.song is not None and self._heard_s:
            await self._bus.redis.zadd(self._heard, {playback.song.id: playback.at.timestamp()})
            await self._bus.redis.expire(self._heard, int(self._heard_s) + 1)

    async def heard(self) -> frozenset[str]:
        """Ids of the songs heard lately."""
        await self._bus.redis.zremrangebyscore(self._heard, "-inf", time.time() - self._heard_s)
        return frozenset(song.decode() for song in await self._bus.redis.zrange(self._heard, 0, -1))

    async def _entries(self, key: str) -> dict[str, dict[str, Any]]:
        return {at.decode(): json.loads(entry) for at, entry in (await self._bus.redis.hgetall(key)).items()}

    async def _forget_oldest(self, key: str) -> None:
        if await self._bus.redis.hlen(key) > MAX_SAID:
            entries = await self._entries(key)
            oldest = sorted(entries, key=lambda at: entries[at]["at"])[: len(entries) - MAX_SAID]
            await self._bus.redis.hdel(key, *oldest)

    def _key(self, session_id: str | None, profile: str | None) -> str:
        return self._profile(profile) if profile is not None else self._session(session_id or "")

    def _session(self, session_id: str) -> str:
        return self._bus.key("said", session_id)

    def _profile(self, profile: str) -> str:
        return self._bus.key("profile", profile)

    def _named(self, session_id: str) -> str:
        return self._bus.key("profile-of", session_id)

    @property
    def _heard(self) -> str:
        return self._bus.key("heard")


def taste_of(said: list[dict[str, Any]]) -> Taste:
    """What the entries, oldest first, amount to: of one song the last like or skip counts."""
    last: dict[str, str] = {}
    wrong = set()
    for entry in said:
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
    return Taste(likes, skips, frozenset(wrong))
