"""The background job of a camera service: runs its cameras and follows the visits at them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from moodstream.contracts.events import MoodChanged, StatusChanged
from moodstream.contracts.status_codes import StatusCode
from services.camera.metrics import Metrics
from services.camera.rules.address import BROWSER
from services.camera.rules.cameras import CameraConfig
from services.camera.rules.health import State
from services.camera.watch.camera import Camera
from services.camera.watch.process import COMMAND
from services.camera.watch.status_sender import StatusSender
from shared.bus.connection import Bus
from shared.bus.projection import replay_and_follow
from shared.tasks import end_tasks

FINISH_S = 2.0
CHECK_EVERY_S = 1.0


class CameraStuck(Exception):
    """A camera's job makes no progress; only a new process helps."""


class Publisher:
    """Runs the cameras until the input of all has ended."""

    def __init__(
        self,
        bus: Bus,
        cameras: Sequence[CameraConfig],
        ended: Callable[[], None] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._bus, self._ended = bus, ended
        self._status_sender = StatusSender(bus)
        self.metrics = Metrics()
        self.cameras = {
            one.id: Camera(
                one, bus.publish_frame, partial(self._send_status, one.id), self.metrics.of(one.id), command=command
            )
            for one in cameras
            if one.address != BROWSER  # its pictures come through the gateway
        }

    def _send_status(self, camera_id: str, state: State, code: StatusCode, reason: str) -> None:
        status = StatusChanged(service="camera", part=camera_id, state=state, code=code, reason=reason)
        self._status_sender.queue_status(status)

    async def run(self) -> None:
        sending, following = (asyncio.create_task(job()) for job in (self._status_sender.run, self._follow_visits))
        try:
            async with asyncio.TaskGroup() as group:
                for camera in self.cameras.values():
                    group.create_task(camera.run())
        finally:
            try:
                await self._status_sender.finish(FINISH_S)
            finally:
                await end_tasks(following, sending)
        if self._ended is not None and self.cameras:
            self._ended()

    async def watch(self, every_s: float = CHECK_EVERY_S) -> None:
        """Raises CameraStuck for a camera that neither captures nor rests: the process is then started anew."""
        while True:
            await asyncio.sleep(every_s)
            for camera_id, camera in self.cameras.items():
                if reason := camera.stuck():
                    raise CameraStuck(f"{camera_id}: {reason}")

    async def _follow_visits(self) -> None:
        """Tell each camera whether somebody is there: its rate depends on it."""
        async for entry in replay_and_follow(self._bus, {MoodChanged: 0}):
            if entry is not None and isinstance(entry.event, MoodChanged):
                camera = self.cameras.get(entry.event.camera_id)
                if camera is not None:
                    camera.note_visit(entry.event.phase != "end")
