"""The background job that turns the readings of all cameras into moods.

Every worker follows the readings; for each camera one of them leads and publishes (``tracked_camera``).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from moodstream.contracts.events import (
    Event,
    FacesRead,
    MoodChanged,
    RequestMade,
    StatusChanged,
    VoiceRead,
    WordsRead,
    utc_now,
)
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import CheckMoodSettings, ChooseMood, EndSession, Request, Session, SiteSettings
from moodstream.contracts.status_codes import StatusCode
from moodstream.contracts.streams import READINGS, SELF_TEST
from services.emotion.metrics import Metrics
from services.emotion.tracked_camera import TrackedCamera
from services.emotion.visits.policy import Policy
from services.emotion.visits.visit_machine import VisitMachine
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.bus.lease import RENEW_S
from shared.bus.outage import REDIS_ERRORS
from shared.delivery.serve import Handler, NotMine, RequestServer

GATHER_MS = 25
"""How long readings are collected before they are applied together: a tenth of the work when frames come fast, and no
mood is late because of it."""
FORGET_AFTER_S = 60.0
"""A camera that has been quiet for this long is released."""


class TrackerJob:
    """Follows readings, the end of inputs, and requests about visits."""

    def __init__(
        self,
        bus: Bus,
        create_machine: Callable[[str], VisitMachine],
        note_reading: Callable[[FacesRead], None],
        metrics: Metrics,
        desk: SettingsDesk[Any],
    ) -> None:
        """``create_machine`` is given a camera's id; ``note_reading`` receives the readings of all workers."""
        self._bus, self._create_machine, self._note_reading, self._metrics = bus, create_machine, note_reading, metrics
        self._cameras: dict[str, TrackedCamera] = {}
        self._desk = desk
        handlers: dict[type[Request[Any]], Handler] = {
            ChooseMood: self._choose_mood,
            EndSession: self._end_session,
            CheckMoodSettings: self._check_settings,
        }
        self._requests = RequestServer(bus, handlers)

    def change_policy(self, policy: Policy) -> None:
        """How several faces become one mood from now on, at every camera."""
        for camera in self._cameras.values():
            if camera.machine is not None:
                camera.machine.change_policy(policy)

    async def run(self) -> None:
        try:
            while not self._bus.stopping.is_set():
                try:
                    await self._follow_streams()
                except REDIS_ERRORS as error:
                    self._bus.outage.report("tracking", error)
                    self._cameras.clear()
                    await asyncio.sleep(RENEW_S)
        finally:
            await self._release_all()

    async def _follow_streams(self) -> None:
        followed: tuple[type[Event], ...] = (*READINGS, StatusChanged, RequestMade)
        start = dict(zip(followed, await asyncio.gather(*map(self._bus.last_id, followed)), strict=True))
        self._bus.outage.resolve("tracking")
        for event in await self._bus.newest(MoodChanged, count=200):
            if isinstance(event, MoodChanged) and event.expires_at > utc_now():
                self._camera(event.camera_id)
        async for entry in self._bus.follow(start, block_ms=250, gather_ms=GATHER_MS):
            if entry is not None:
                await self._apply_event(*entry)
            await self._maintain_cameras()

    def _camera(self, camera_id: str) -> TrackedCamera:
        if camera_id not in self._cameras:
            self._cameras[camera_id] = TrackedCamera(self._bus, camera_id, self._create_machine, self._metrics)
        return self._cameras[camera_id]

    async def _maintain_cameras(self) -> None:
        cameras = list(self._cameras.items())
        # side by side: on a slow line the lease of the last one would run out before its turn
        for error in await asyncio.gather(*(camera.maintain() for _, camera in cameras), return_exceptions=True):
            if isinstance(error, BaseException):
                raise error
        for camera_id, camera in cameras:
            if camera.idle and time.monotonic() - camera.active_s > FORGET_AFTER_S:
                del self._cameras[camera_id]
                await camera.release()

    async def _apply_event(self, entry_id: str, event: Event) -> None:
        if isinstance(event, FacesRead) and event.camera_id == SELF_TEST:
            return
        if isinstance(event, FacesRead):
            self._note_reading(event)
            camera = self._camera(event.camera_id)
            camera.active_s = time.monotonic()
            if await camera.leads():
                await camera.apply_reading(entry_id, event)
        elif isinstance(event, VoiceRead | WordsRead):
            camera = self._camera(event.camera_id)
            camera.active_s = time.monotonic()
            if await camera.leads():
                await camera.apply_heard(event)
        elif isinstance(event, StatusChanged):
            if event.service in ("camera", "gateway") and event.part and event.code == StatusCode.END_OF_INPUT:
                await self._end_input(event.part)
        elif isinstance(event, RequestMade) and event.expires_at > utc_now():
            await self._requests.answer(event)

    async def _end_input(self, camera_id: str) -> None:
        """End the visit at a camera that sends nothing more."""
        camera = self._cameras.pop(camera_id, None)
        if camera is not None and camera.machine is not None:
            await camera.publish_moods(camera.machine.end())
            await camera.release()

    async def _end_session(self, request: EndSession, _: RequestMade) -> Session:
        camera, machine = await self._led_camera(request.camera_id)
        return await self._publish_for_reply(camera, machine.end())

    async def _choose_mood(self, request: ChooseMood, made: RequestMade) -> Session:
        camera, machine = await self._led_camera(request.camera_id)
        return await self._publish_for_reply(camera, machine.choose_mood(Mood(request.mood), made, time.monotonic()))

    async def _check_settings(self, request: CheckMoodSettings, _: RequestMade) -> SiteSettings:
        """Every worker answers, with one event: the id of a reply follows from the request's."""
        return await asyncio.to_thread(self._desk.answer, request.values)

    async def _led_camera(self, camera_id: str) -> tuple[TrackedCamera, VisitMachine]:
        """Raises NotMine when another worker leads."""
        camera = self._camera(camera_id)
        if not await camera.leads() or camera.machine is None:
            raise NotMine
        camera.active_s = time.monotonic()
        return camera, camera.machine

    async def _publish_for_reply(self, camera: TrackedCamera, moods: list[MoodChanged]) -> Session:
        await camera.publish_moods(moods)
        return Session(session_id=moods[0].session_id if moods else None)

    async def _release_all(self) -> None:
        """At the end of the process: other workers need not wait for the leases to run out."""
        for camera in self._cameras.values():
            if camera.machine is not None:
                async with asyncio.timeout(self._bus.line.patience_s(1, 2)):
                    await camera.release()
