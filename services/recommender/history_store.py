"""What visitors picked and heard to its end: with what they said of songs, the history of a visit.

In Redis until the visit is over; workers on different machines see the same.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from moodstream.contracts.events import PlaybackChanged, SongPicked
from services.recommender.choice.history import Past
from services.recommender.feedback_store import MAX_ENTRIES, Entry, FeedbackStore, past_of
from services.recommender.visits import REMEMBERED_S
from shared.bus.connection import Bus
from shared.bus.reading import Later, Reading

HEARD_TO_ITS_END = 0.8
"""Share of a song after which it was heard; who leaves before the last chorus has heard it, too."""

_PLAYING = "playing"


class HistoryStore:
    """One hash a visit: an entry for each event, and what plays now."""

    def __init__(self, bus: Bus, feedback: FeedbackStore) -> None:
        self._bus, self._feedback = bus, feedback

    async def note_pick(self, pick: SongPicked) -> None:
        """The visitor chose a song; handled twice, it is the same entry. What the site picks by itself says nothing."""
        if pick.session_id is not None and pick.by == "visitor":
            await self._add(pick.session_id, pick.id, "picked", pick.song_id, pick.at.timestamp())

    async def note_playback(self, playback: PlaybackChanged) -> str | None:
        """What plays has changed: the song before it was heard, if most of it has played; its id, then."""
        if playback.session_id is None:
            return None
        key, song, at = self._key(playback.session_id), playback.song, playback.at.timestamp()
        known = await self._bus.redis.hget(key, _PLAYING)
        before = json.loads(known) if known else None
        plays = playback.state == "playing" and song is not None
        if before is not None and plays and song is not None and before["song_id"] == song.id:
            return None  # the volume, say
        heard = None
        if before is not None:
            if at - before["at"] >= HEARD_TO_ITS_END * before["duration_s"]:
                heard = str(before["song_id"])
                await self._add(playback.session_id, before["id"], "heard", heard, at)
            await self._bus.redis.hdel(key, _PLAYING)
        if plays and song is not None and song.duration_ms:
            now = {"id": playback.id, "song_id": song.id, "at": at, "duration_s": song.duration_ms / 1000}
            await self._bus.redis.hset(key, _PLAYING, json.dumps(now))
            await self._bus.redis.expire(key, REMEMBERED_S)
        return heard

    async def history(self, session_id: str | None, until: datetime) -> tuple[Past, ...]:
        """What had happened to songs in a visit, and what a profile named in it had said, in no order.

        Until a moment, that of the cause of an event: delivered once more, the same cause makes the same event.
        """
        if session_id is None:
            return ()
        reading = Reading(self._bus.redis)
        went, said = self.ask(reading, session_id), self._feedback.ask(reading, session_id)
        await reading.run()
        return history_of(went.value, await self._feedback.known(said), until)

    def ask(self, reading: Reading, session_id: str) -> Later[list[dict[str, Any]]]:
        """What happened in a visit, with what others ask, in one round trip."""
        return reading.ask(lambda redis: redis.hgetall(self._key(session_id)), _happened)

    def keys_of(self, session_id: str) -> tuple[str, ...]:
        """What is forgotten with the session."""
        return (self._key(session_id),)

    async def _add(self, session_id: str, event_id: str, kind: str, song_id: str, at: float) -> None:
        key = self._key(session_id)
        if await self._bus.redis.hlen(key) > MAX_ENTRIES:
            return
        async with self._bus.redis.pipeline(transaction=False) as both:
            both.hset(key, event_id, json.dumps({"kind": kind, "song_id": song_id, "at": at}))
            both.expire(key, REMEMBERED_S)
            await both.execute()

    def _key(self, session_id: str) -> str:
        return self._bus.key("went", session_id)


def history_of(happened: Sequence[dict[str, Any]], said: dict[str, Entry], until: datetime) -> tuple[Past, ...]:
    """What happened and what was said until a moment, in no order."""
    now = until.timestamp()
    past = [Past(one["song_id"], one["kind"], now - one["at"]) for one in happened]
    return tuple(one for one in (*past, *past_of(said, now)) if one.age_s >= 0)


def _happened(entries: dict[bytes, bytes]) -> list[dict[str, Any]]:
    return [json.loads(entry) for name, entry in entries.items() if name != _PLAYING.encode()]
