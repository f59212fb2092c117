"""Pictures that a program sends one at a time over HTTP: each name becomes a camera for as long as they come."""

import asyncio
import time
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException

from moodstream.contracts.events import FrameCaptured, utc_now
from moodstream.contracts.status_codes import StatusCode
from services.gateway.browser_camera import IDLE_S, JPEG_MAGIC, NO_JPEG, NOT_TAKEN, FrameGate, publish_camera_status
from shared.bus.connection import Bus

MAX_PROGRAMS = 8
CHECK_EVERY_S = 1.0


@dataclass
class _Camera:
    run_id: str
    gate: FrameGate = field(default_factory=FrameGate)
    seq: int = 0
    last_s: float = field(default_factory=time.monotonic)


class PushedFrames:
    """Nothing of a picture is kept here."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._cameras: dict[str, _Camera] = {}

    async def accept_frame(self, name: str, picture: bytes) -> str:
        """The id of the camera. Raises HTTPException when the picture is not taken."""
        if not picture.startswith(JPEG_MAGIC):
            raise HTTPException(422, f"body: {NO_JPEG.reason}")
        camera_id = f"push-{name}"
        camera = self._cameras.get(camera_id)
        if camera is None:
            if len(self._cameras) >= MAX_PROGRAMS:
                raise HTTPException(429, f"{MAX_PROGRAMS} programs send pictures already")
            camera = self._cameras[camera_id] = _Camera(f"{time.time_ns() // 1_000_000:014d}")
            await publish_camera_status(self._bus, camera_id, "online", StatusCode.PUSHED, "pictures over HTTP")
        if (refusal := camera.gate.refusal(picture, time.monotonic())) is not None:
            raise HTTPException(429, refusal.reason)
        seq, camera.seq, camera.last_s = camera.seq, camera.seq + 1, time.monotonic()
        frame = FrameCaptured(camera_id=camera_id, run_id=camera.run_id, seq=seq, captured_at=utc_now(), jpeg=picture)
        if not await self._bus.publish_frame(frame):
            raise HTTPException(503, NOT_TAKEN.reason)
        return camera_id

    async def run(self) -> None:
        """Forget those who have stopped, for ever."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            for camera_id, camera in list(self._cameras.items()):
                if time.monotonic() - camera.last_s > IDLE_S:
                    del self._cameras[camera_id]
                    await publish_camera_status(
                        self._bus, camera_id, "offline", StatusCode.END_OF_INPUT, "end of input"
                    )
