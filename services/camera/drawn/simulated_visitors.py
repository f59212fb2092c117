"""Visitors who do not exist, in the place of a camera: their moods are simulated, all that follows from them is real.

They come from the generator of ``moodstream simulate`` and pick from what the recommender offers. While somebody
chooses a mood by hand or ends a visit, they step back.
"""

import asyncio
import logging
import time
from datetime import datetime
from typing import Any

from moodstream.contracts.events import Event, MoodChanged, SongPicked, SongsOffered, StatusChanged, expiry, utc_now
from moodstream.contracts.status_codes import StatusCode
from shared.bus.connection import AWAY, Bus
from shared.contracts.simulation import MODEL, Visitors

log = logging.getLogger("moodstream.camera")

SEED = 1


class DemoVisitors:
    """One visit after the other at one camera."""

    def __init__(self, bus: Bus, camera_id: str, speed: float = 1.0) -> None:
        self._bus, self._camera_id, self._speed = bus, camera_id, speed
        self._offer: SongsOffered | None = None
        """the newest real one of this visit"""
        self._picked: str | None = None
        """the offer from which somebody has picked"""
        self._offered: dict[str, SongsOffered] = {}
        """the simulated one of this moment, by id"""
        self._place: int | None = None
        """in the offer of this visit, which has not come yet: where the visitor would have picked"""
        self._session: str | None = None
        self._refused: str | None = None
        """session of a visitor who has stepped back"""
        self._others_until: datetime | None = None
        self._rests_until_s = float("-inf")
        self._told = 0

    def rest(self, seconds: float, why: StatusCode) -> None:
        """Nobody comes for a while."""
        log.info("visitors stay away: %s", why)
        self._rests_until_s = time.monotonic() + seconds

    def status(self) -> dict[str, Any]:
        """As a camera tells it."""
        away = time.monotonic() < self._rests_until_s
        state, code = ("offline", StatusCode.RESTING) if away else ("online", StatusCode.SIMULATED)
        return {"camera_id": self._camera_id, "state": state, "code": code, "frames": self._told}

    async def visit(self) -> None:
        """Publish for ever."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for offset_s, event in Visitors(SEED, utc_now(), self._camera_id, self._speed).events():
            await asyncio.sleep(begun + offset_s - loop.time())
            if (told := self._in_place_of(event)) is not None:
                await self._bus.publish(told)

    def _in_place_of(self, event: Event) -> Event | None:
        """What is published when the generator says this; None for what is left to the real services."""
        if isinstance(event, StatusChanged):
            return event.model_copy(update={"reason": "simulated visitors"})
        self._session = event.session_id
        away = time.monotonic() < self._rests_until_s
        if away or (self._others_until is not None and utc_now() < self._others_until):
            self._refused = self._session
        if self._session == self._refused:
            self._place = None
            return None
        if isinstance(event, MoodChanged):
            if event.phase != "update":
                self._offer = self._place = None
            self._told += 1
            return _now(event)
        if isinstance(event, SongsOffered):
            self._offered = {event.id: event}
        elif isinstance(event, SongPicked):
            return self._pick(event)
        return None

    def _pick(self, simulated: SongPicked) -> SongPicked | None:
        """The song at the same place of the real offer; one that is late, as at the start of all, is waited for."""
        meant = self._offered.get(simulated.offer_id)
        if meant is None:
            return None
        place = [song.id for song in meant.songs].index(simulated.song_id)
        if self._offer is None or self._offer.session_id != self._session:
            self._place = place
        return self._pick_at(place)

    def _pick_at(self, place: int) -> SongPicked | None:
        """None while nothing is offered to this visitor, or somebody else has picked."""
        offer = self._offer
        if offer is None or offer.session_id != self._session or offer.id == self._picked:
            return None
        if offer.expires_at < utc_now():
            return None
        song = offer.songs[place % len(offer.songs)]
        fields = {"offer_id": offer.id, "song_id": song.id, "mood": offer.mood, "by": "visitor"}
        return SongPicked.following(offer, expires_at=expiry(SongPicked), **fields)

    async def listen(self) -> None:
        """Know what is offered, picked, and done by hand, for ever."""
        kinds = (MoodChanged, SongsOffered, SongPicked)
        while True:
            try:
                start: dict[type[Event], str] = {kind: await self._bus.last_id(kind) for kind in kinds}
                self._bus.outage.passed("catching up")
                break
            except AWAY as error:
                self._bus.outage.note("catching up", error)
                await asyncio.sleep(1)
        async for entry in self._bus.follow(start):
            if entry is None:
                continue
            self._heard(entry[1])
            if self._place is not None and (pick := self._pick_at(self._place)) is not None:
                self._place = None
                await self._bus.publish(pick)

    def _heard(self, event: Event) -> None:
        match event:
            case MoodChanged(camera_id=self._camera_id) if event.model != MODEL:
                ended = event.phase == "end"
                self._others_until = None if ended else event.expires_at
                if not ended or event.session_id == self._session:
                    self._refused = self._session
            case SongsOffered(songs=songs) if songs:
                self._offer = event
            case SongPicked():
                self._picked = event.offer_id


def _now(event: MoodChanged) -> MoodChanged:
    """The same at this moment: a computer that slept in between is far behind the plan."""
    now = utc_now()
    times = {"at": now, "since": now - (event.at - event.since), "expires_at": expiry(MoodChanged, now)}
    return event.model_copy(update=times)
