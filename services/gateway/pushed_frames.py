"""Pictures that a program sends one at a time over HTTP: each name becomes a camera for as long as they come."""

import asyncio
import time
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException

from moodstream.contracts.events import FrameCaptured, utc_now
from moodstream.contracts.status_codes import StatusCode
from services.gateway.browser_camera import publish_camera_status
from services.gateway.guest_frames import NO_JPEG, NOT_TAKEN, TOO_LARGE, FrameGate, Guests, Places
from shared.networks import network_of

MAX_PROGRAMS = 8
IDLE_S = 10.0
"""A program that sends nothing for so long has ended."""
CHECK_EVERY_S = 1.0


@dataclass
class _Camera:
    host: str
    run_id: str
    gate: FrameGate = field(default_factory=FrameGate)
    seq: int = 0
    last_s: float = field(default_factory=time.monotonic)


class PushedFrames:
    """Nothing of a picture is kept here."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests
        self._cameras: dict[str, _Camera] = {}
        self._places = Places(MAX_PROGRAMS)

    async def accept_frame(self, name: str, picture: bytes, host: str) -> str:
        """The id of the camera; ``host`` is who sends. Raises HTTPException when the picture is not taken."""
        camera_id = f"push-{name}"
        known = self._cameras.get(camera_id)
        if known is not None and network_of(known.host) != network_of(host):
            raise HTTPException(409, "another program sends pictures under this name")
        camera = known or _Camera(host, f"{time.time_ns() // 1_000_000:014d}")
        if (refusal := camera.gate.refusal(picture, time.monotonic(), self._guests.pixels)) is not None:
            if refusal in (NO_JPEG, TOO_LARGE):
                raise HTTPException(422, f"body: {refusal.reason}")
            raise HTTPException(429, refusal.reason)
        if known is None:
            if not self._places.take(host):
                raise HTTPException(429, f"{self._places.count} of {MAX_PROGRAMS} programs send pictures already")
            self._cameras[camera_id] = camera
            await publish_camera_status(self._guests.bus, camera_id, "online", StatusCode.PUSHED, "pictures over HTTP")
        seq, camera.seq, camera.last_s = camera.seq, camera.seq + 1, time.monotonic()
        frame = FrameCaptured(camera_id=camera_id, run_id=camera.run_id, seq=seq, captured_at=utc_now(), jpeg=picture)
        if (refusal := await self._guests.publish(frame)) is not None:
            raise HTTPException(503 if refusal.code == NOT_TAKEN.code else 429, refusal.reason)
        return camera_id

    async def run(self) -> None:
        """Forget those who have stopped, for ever."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            for camera_id, camera in list(self._cameras.items()):
                if time.monotonic() - camera.last_s > IDLE_S:
                    del self._cameras[camera_id]
                    self._places.give_back(camera.host)
                    await publish_camera_status(
                        self._guests.bus, camera_id, "offline", StatusCode.END_OF_INPUT, "end of input"
                    )
