"""Simulated visitors in place of a camera: their moods are simulated, everything that follows from them is real.

They come from the generator of ``moodstream simulate`` and pick from the recommender's real offers. They step back
while somebody chooses a mood by hand or ends a visit.
"""

import asyncio
import logging
import time
from datetime import datetime
from typing import Any

from moodstream.contracts.events import Event, MoodChanged, SongPicked, SongsOffered, StatusChanged, expiry, utc_now
from moodstream.contracts.status_codes import StatusCode
from shared.bus.connection import Bus
from shared.bus.projection import replay_and_follow
from shared.contracts.simulation import MODEL, Visitors

log = logging.getLogger("moodstream.camera")

SEED = 1


class SimulatedVisitors:
    """One visit after another at one camera."""

    def __init__(self, bus: Bus, camera_id: str, speed: float = 1.0) -> None:
        self._bus, self._camera_id, self._speed = bus, camera_id, speed
        self._offer: SongsOffered | None = None
        """the newest real offer of this visit"""
        self._picked: str | None = None
        """id of the last offer from which somebody has picked"""
        self._simulated_offers: dict[str, SongsOffered] = {}
        """the generator's current offer, by id"""
        self._waiting_choice: int | None = None
        """which song of the offer the visitor wants, while the real offer has not arrived"""
        self._session: str | None = None
        self._stepped_back: str | None = None
        """session of a visitor who has stepped back"""
        self._others_until: datetime | None = None
        self._paused_until_s = float("-inf")
        self._published = 0

    def pause(self, seconds: float, reason: StatusCode) -> None:
        """Nobody comes for a while."""
        log.info("no simulated visitors for now: %s", reason)
        self._paused_until_s = time.monotonic() + seconds

    def status(self) -> dict[str, Any]:
        """The status of a camera, as far as there is one."""
        away = time.monotonic() < self._paused_until_s
        state, code = ("offline", StatusCode.RESTING) if away else ("online", StatusCode.SIMULATED)
        return {"camera_id": self._camera_id, "state": state, "code": code, "frames": self._published}

    async def publish_visits(self) -> None:
        """Publish for ever."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for offset_s, event in Visitors(SEED, utc_now(), self._camera_id, self._speed).events():
            await asyncio.sleep(begun + offset_s - loop.time())
            if (replaced := self._replace(event)) is not None:
                await self._bus.publish(replaced)

    def _replace(self, event: Event) -> Event | None:
        """What to publish for an event of the generator; None for what the real services publish."""
        if isinstance(event, StatusChanged):
            return event.model_copy(update={"reason": "simulated visitors"})
        self._session = event.session_id
        away = time.monotonic() < self._paused_until_s
        if away or (self._others_until is not None and utc_now() < self._others_until):
            self._stepped_back = self._session
        if self._session == self._stepped_back:
            self._waiting_choice = None
            return None
        if isinstance(event, MoodChanged):
            if event.phase != "update":
                self._offer = self._waiting_choice = None
            self._published += 1
            return _moved_to_now(event)
        if isinstance(event, SongsOffered):
            self._simulated_offers = {event.id: event}
        elif isinstance(event, SongPicked):
            return self._pick(event)
        return None

    def _pick(self, simulated: SongPicked) -> SongPicked | None:
        """Pick the same position from the real offer; if that is late, as at the very start, remember the choice."""
        meant = self._simulated_offers.get(simulated.offer_id)
        if meant is None:
            return None
        choice = [song.id for song in meant.songs].index(simulated.song_id)
        if self._offer is None or self._offer.session_id != self._session:
            self._waiting_choice = choice
        return self._pick_at(choice)

    def _pick_at(self, choice: int) -> SongPicked | None:
        """None while nothing is offered to this visitor, or somebody else has picked."""
        offer = self._offer
        if offer is None or offer.session_id != self._session or offer.id == self._picked:
            return None
        if offer.expires_at < utc_now():
            return None
        song = offer.songs[choice % len(offer.songs)]
        fields = {"offer_id": offer.id, "song_id": song.id, "mood": offer.mood, "by": "visitor"}
        return SongPicked.following(offer, expires_at=expiry(SongPicked), **fields)

    async def follow_events(self) -> None:
        """Follow what is offered, picked, and done by hand, for ever."""
        async for entry in replay_and_follow(self._bus, {MoodChanged: 0, SongsOffered: 0, SongPicked: 0}):
            if entry is None:
                continue
            self._apply_event(entry.event)
            if self._waiting_choice is not None and (pick := self._pick_at(self._waiting_choice)) is not None:
                self._waiting_choice = None
                await self._bus.publish(pick)

    def _apply_event(self, event: Event) -> None:
        match event:
            case MoodChanged(camera_id=self._camera_id) if event.model != MODEL:
                ended = event.phase == "end"
                # whatever moment a stranger writes, the next event of a living visit comes sooner than this
                self._others_until = None if ended else min(event.expires_at, expiry(MoodChanged))
                if not ended or event.session_id == self._session:
                    self._stepped_back = self._session
            case SongsOffered(songs=songs) if songs:
                self._offer = event
            case SongPicked():
                self._picked = event.offer_id


def _moved_to_now(event: MoodChanged) -> MoodChanged:
    """The same event with the times of this moment: a computer that was asleep is far behind the schedule."""
    now = utc_now()
    times = {"at": now, "since": now - (event.at - event.since), "expires_at": expiry(MoodChanged, now)}
    return event.model_copy(update=times)
