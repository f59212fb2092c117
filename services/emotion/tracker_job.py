"""Tracking in the bus: every worker follows the readings, one of them per camera speaks.

It keeps its place in the readings in Redis. Another that takes over goes on there, with the session of the camera's
last event, so a killed worker costs a moment and no session.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from moodstream.contracts.events import Event, FacesRead, MoodChanged, RequestMade, StatusChanged, utc_now
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import ChooseMood, EndSession, Session
from moodstream.contracts.status_codes import StatusCode
from moodstream.contracts.streams import SELF_TEST
from services.emotion.metrics import Metrics
from services.emotion.visits.visit_machine import Tracker
from shared.bus.connection import AWAY, Bus
from shared.bus.lease import RENEW_S, Lease
from shared.delivery.serve import NotMine, RequestServer

log = logging.getLogger("moodstream.emotion")

GATHER_MS = 25
"""Readings are taken in together for so long: a tenth of the work where frames come fast, and no mood is late by it."""
FORGET_S = 60.0
"""A camera of which nothing was heard for so long is nobody's."""
PLACE_KEPT_S = 24 * 3600
WARM_MS = 3_000
"""A tracker that takes over looks so far back, so that its smoothing does not begin anew."""


@dataclass
class _Camera:
    lease: Lease
    heard_s: float
    tracker: Tracker | None = None
    """where this worker holds the lease"""
    place: str | None = None
    """of the last reading taken in, where it is not kept yet"""


class Tracking:
    """The background job that turns the readings of all cameras into moods."""

    def __init__(
        self, bus: Bus, make_tracker: Callable[[str], Tracker], hear: Callable[[FacesRead], None], metrics: Metrics
    ) -> None:
        self._bus = bus
        self._make = make_tracker
        self._hear = hear
        self._metrics = metrics
        self._cameras: dict[str, _Camera] = {}
        self._requests = RequestServer(bus, {ChooseMood: self._choose_mood, EndSession: self._end_session})

    async def run(self) -> None:
        try:
            while not self._bus.stopping.is_set():
                try:
                    await self._track()
                except AWAY as error:
                    self._bus.outage.note("tracking", error)
                    self._cameras.clear()
                    await asyncio.sleep(RENEW_S)
        finally:
            await self._release()

    async def _track(self) -> None:
        start: dict[type[Event], str] = {
            event: await self._bus.last_id(event) for event in (FacesRead, StatusChanged, RequestMade)
        }
        self._bus.outage.passed("tracking")
        for event in await self._bus.newest(MoodChanged, count=200):
            if isinstance(event, MoodChanged) and event.expires_at > utc_now():
                self._camera(event.camera_id)
        async for entry in self._bus.follow(start, block_ms=250, gather_ms=GATHER_MS):
            if entry is not None:
                await self._take(*entry)
            await self._care()

    def _camera(self, camera_id: str) -> _Camera:
        if camera_id not in self._cameras:
            self._cameras[camera_id] = _Camera(Lease(self._bus, "tracker", camera_id), time.monotonic())
        return self._cameras[camera_id]

    async def _care(self) -> None:
        """What is due by time: leases, silent cameras, moods by hand."""
        for camera_id, camera in list(self._cameras.items()):
            if camera.lease.due:
                await self._keep_place(camera_id, camera)
                await self._ask(camera_id, camera)
            if camera.tracker is not None:
                await self._say(camera, camera.tracker.tick(time.monotonic()))
            idle = camera.tracker is None or camera.tracker.idle
            if idle and time.monotonic() - camera.heard_s > FORGET_S:
                del self._cameras[camera_id]
                await camera.lease.release()

    async def _ask(self, camera_id: str, camera: _Camera) -> bool:
        """Renew or take the lease; the first time, go on where the one before stopped."""
        if not await camera.lease.ask():
            if camera.tracker is not None:
                log.warning("another worker tracks %s now", camera_id)
            camera.tracker = None
        elif camera.tracker is None:
            log.info("tracks %s", camera_id)
            camera.tracker = self._make(camera_id)
            kept = await self._bus.redis.get(self._place(camera_id))
            told = await self._last_told(camera_id)
            # whoever told it had taken in what came before: read again, an ended session would be opened once more
            place = max(kept.decode(), told[0] if told else "", key=_in_order) if kept else None
            await self._restore(camera_id, camera.tracker, place, told[1] if told else None)
            if place is not None:
                async for entry_id, reading in self._readings(camera_id, f"({place}"):
                    await self._apply(camera, entry_id, reading)
        return camera.tracker is not None

    async def _restore(self, camera_id: str, tracker: Tracker, place: str | None, told: MoodChanged | None) -> None:
        """The session of the camera's last event, and the faces of the last seconds before the place."""
        if place is not None:
            last_ms, _ = _in_order(place)
            recent = self._readings(camera_id, str(max(0, last_ms - WARM_MS)), place)
            tracker.warm([reading async for _, reading in recent])
        if told is not None:
            tracker.restore(told, time.monotonic())

    async def _last_told(self, camera_id: str) -> tuple[str, MoodChanged] | None:
        """The entry of the camera's last event, if it is among the newest."""
        for entry_id, event in await self._bus.newest_entries(MoodChanged, count=500):
            if isinstance(event, MoodChanged) and event.camera_id == camera_id:
                return entry_id, event
        return None

    async def _readings(self, camera_id: str, first: str, last: str = "+") -> AsyncIterator[tuple[str, FacesRead]]:
        stream = self._bus.stream(FacesRead)
        for entry_id, fields in await self._bus.redis.xrange(stream, min=first, max=last):
            reading = self._bus.parse(stream, fields, entry_id)
            if isinstance(reading, FacesRead) and reading.camera_id == camera_id:
                yield entry_id.decode(), reading

    def _place(self, camera_id: str) -> str:
        return self._bus.key("tracker", "place", camera_id)

    async def _take(self, entry_id: str, event: Event) -> None:
        if isinstance(event, FacesRead) and event.camera_id == SELF_TEST:
            return
        if isinstance(event, FacesRead):
            self._hear(event)
            camera = self._camera(event.camera_id)
            camera.heard_s = time.monotonic()
            if await self._speaks(event.camera_id, camera):
                await self._apply(camera, entry_id, event)
        elif isinstance(event, StatusChanged):
            if event.service in ("camera", "gateway") and event.part and event.code == StatusCode.END_OF_INPUT:
                await self._end(event.part)
        elif isinstance(event, RequestMade) and event.expires_at > utc_now():
            await self._requests.answer(event)

    async def _speaks(self, camera_id: str, camera: _Camera) -> bool:
        """Whether this worker tracks the camera, now; a lease that is in doubt or new is asked for."""
        if camera.tracker is not None and camera.lease.held:
            return True
        if camera.tracker is not None or camera.lease.due:
            return await self._ask(camera_id, camera)
        return False

    async def _apply(self, camera: _Camera, entry_id: str, reading: FacesRead) -> None:
        if camera.tracker is None:
            return
        missed, late = camera.tracker.missed, camera.tracker.late
        with self._bus.traces.step("emotion tracks", reading):
            await self._say(camera, camera.tracker.observe(reading, time.monotonic()))
        self._metrics.followed(camera.tracker.missed - missed, camera.tracker.late - late)
        camera.place = entry_id

    async def _keep_place(self, camera_id: str, camera: _Camera) -> None:
        """Now and then: the few readings since then are simply taken in again, which changes nothing."""
        if camera.place is not None and camera.lease.held:
            await self._bus.redis.set(self._place(camera_id), camera.place, ex=PLACE_KEPT_S)
        camera.place = None

    async def _say(self, camera: _Camera, moods: list[MoodChanged]) -> None:
        for mood in moods:
            while not await camera.lease.publish(mood):
                if not await camera.lease.ask():
                    camera.tracker = None
                    return
            self._metrics.told(mood)

    async def _end(self, camera_id: str) -> None:
        camera = self._cameras.pop(camera_id, None)
        if camera is not None and camera.tracker is not None:
            await self._say(camera, camera.tracker.end())
            await camera.lease.release()

    async def _end_session(self, request: EndSession, _: RequestMade) -> Session:
        camera, tracker = await self._tracked(request.camera_id)
        return await self._session(camera, tracker.end())

    async def _choose_mood(self, request: ChooseMood, made: RequestMade) -> Session:
        camera, tracker = await self._tracked(request.camera_id)
        return await self._session(camera, tracker.choose(Mood(request.mood), made, time.monotonic()))

    async def _tracked(self, camera_id: str) -> tuple[_Camera, Tracker]:
        """Raises NotMine when another worker tracks the camera."""
        camera = self._camera(camera_id)
        if not await self._speaks(camera_id, camera) or camera.tracker is None:
            raise NotMine
        camera.heard_s = time.monotonic()
        return camera, camera.tracker

    async def _session(self, camera: _Camera, moods: list[MoodChanged]) -> Session:
        await self._say(camera, moods)
        return Session(session_id=moods[0].session_id if moods else None)

    async def _release(self) -> None:
        """A worker that ends in good order lets go at once."""
        for camera in self._cameras.values():
            if camera.tracker is not None:
                await asyncio.wait_for(camera.lease.release(), 1)


def _in_order(entry_id: str) -> tuple[int, int]:
    """The numbers of an entry's id; nothing comes before all."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds or 0), int(number or 0)
