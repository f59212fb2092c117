"""The background job of a camera service: all its cameras side by side, and what the emotion service says of them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from redis.exceptions import RedisError

from moodstream.contracts.events import MoodChanged, StatusChanged
from moodstream.contracts.status_codes import StatusCode
from services.camera.metrics import Metrics
from services.camera.rules.address import BROWSER
from services.camera.rules.cameras import CameraConfig
from services.camera.rules.health import State
from services.camera.watch.camera import Camera
from services.camera.watch.process import COMMAND
from services.camera.watch.status_sender import Teller
from shared.bus.connection import Bus

FINISH_S = 2.0
AGAIN_S = 1.0


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
        self._teller = Teller(bus)
        self.metrics = Metrics()
        self.cameras = {
            one.id: Camera(
                one, bus.publish_frame, partial(self._tell, one.id), self.metrics.of(one.id), command=command
            )
            for one in cameras
            if one.address != BROWSER  # its pictures come through the gateway
        }

    def _tell(self, camera_id: str, state: State, code: StatusCode, reason: str) -> None:
        self._teller.tell(StatusChanged(service="camera", part=camera_id, state=state, code=code, reason=reason))

    async def run(self) -> None:
        telling, following = (asyncio.create_task(job()) for job in (self._teller.run, self._follow_visits))
        try:
            async with asyncio.TaskGroup() as group:
                for camera in self.cameras.values():
                    group.create_task(camera.run())
        finally:
            following.cancel()
            # not by cancelling: a publication that is cut off takes the cancellation with it
            await self._teller.finish(FINISH_S)
            telling.cancel()
        if self._ended is not None and self.cameras:
            self._ended()

    async def _follow_visits(self) -> None:
        """Whether somebody is there, by camera."""
        while not self._bus.stopping.is_set():
            try:
                start = await self._bus.last_id(MoodChanged)
                self._bus.outage.passed("following visits")
                async for entry in self._bus.follow({MoodChanged: start}):
                    if entry is not None and isinstance(entry[1], MoodChanged):
                        camera = self.cameras.get(entry[1].camera_id)
                        if camera is not None:
                            camera.visited(entry[1].phase != "end")
            except (RedisError, OSError) as error:
                self._bus.outage.note("following visits", error)
                await asyncio.sleep(AGAIN_S)
