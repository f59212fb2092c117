"""The camera of a browser: JPEG pictures over a WebSocket become frames like those of any other camera.

The page is sent its camera id and the frame rate, then sends one picture at a time and waits for the answer to each:
so a slow connection or a busy server slows the sender, and nothing is queued. Pictures are passed on and never kept.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Literal

from redis.exceptions import RedisError
from starlette.websockets import WebSocket, WebSocketDisconnect

from moodstream.contracts.events import FrameCaptured, StatusChanged, utc_now
from moodstream.contracts.requests import PauseCamera
from moodstream.contracts.status_codes import StatusCode
from moodstream.errors import MoodstreamError
from services.gateway.calls import publish_within
from services.gateway.guard import address_of
from services.gateway.metrics import Metrics
from services.gateway.pictures.guest_frames import FrameGate, Guests, Places, Refusal
from shared.bus.connection import Bus
from shared.tasks import end_tasks

log = logging.getLogger("moodstream.gateway")

MAX_BYTES = 2 * 1024 * 1024
FIRST_S, IDLE_S = 4.0, 5.0
"""A browser that sends no first picture, or no other, for so long sleeps; the local camera captures again."""
MAX_WITHOUT_PLACE = 32
"""Connections that have sent no picture yet."""
PAUSE_EVERY_S = 5.0
PAUSE_S = 10
PUBLISH_S = 2.0

TOO_MANY = "too many browsers send pictures already"
WRONG_DATA, TOO_BIG, BUSY = 1003, 1009, 1013
"""Codes of RFC 6455 and its registry at IANA."""


@dataclass
class BrowserCameras:
    """Serves up to ``max_browsers`` at a time."""

    guests: Guests
    local_camera_id: str
    """camera that pauses while a browser sends"""
    frame_rate: float
    max_browsers: int
    is_open: Callable[[], bool] = lambda: True
    """whether the site takes pictures now"""
    metrics: Metrics = field(default_factory=Metrics)
    places: Places = field(init=False)
    without_place: int = 0

    def __post_init__(self) -> None:
        self.places = Places(self.max_browsers)

    @property
    def connected(self) -> int:
        """Browsers that send pictures."""
        return self.places.count

    async def serve(self, socket: WebSocket) -> None:
        """One browser, from connection to disconnection."""
        await socket.accept()
        if not self.is_open():
            await socket.close(BUSY, "closed now")
            return
        if self.places.count >= self.max_browsers or self.without_place >= MAX_WITHOUT_PLACE:
            await socket.close(BUSY, TOO_MANY)
            return
        try:
            await self._stream(socket, f"browser-{token_hex(6)}", address_of(socket))
        except WebSocketDisconnect:
            log.debug("a browser left before it was answered")

    async def _stream(self, socket: WebSocket, camera_id: str, host: str) -> None:
        await socket.send_json({"camera_id": camera_id, "frame_rate": self.frame_rate})
        gate = FrameGate()
        if (first := await self._first_picture(socket, gate)) is None:
            return
        if not self.places.take(host):
            await socket.close(BUSY, TOO_MANY)
            return
        try:
            bus = self.guests.bus
            await publish_camera_status(bus, camera_id, "online", StatusCode.BROWSER, "camera of a browser")
            pausing = asyncio.create_task(self._keep_local_paused())
            try:
                await self._receive(socket, camera_id, gate, first)
            finally:
                await end_tasks(pausing)
                await publish_camera_status(bus, camera_id, "offline", StatusCode.END_OF_INPUT, "end of input")
        finally:
            self.places.give_back(host)

    async def _first_picture(self, socket: WebSocket, gate: FrameGate) -> bytes | None:
        """The first that is let in; None when there is none in time, so that a connection alone holds no place."""
        self.without_place += 1
        try:
            async with asyncio.timeout(FIRST_S):
                while (picture := await self._picture(socket)) is not None:
                    refusal = gate.refusal(picture, time.monotonic(), self.guests.pixels)
                    if refusal is None:
                        return picture
                    await self._answer(socket, refusal)
        except TimeoutError:
            await socket.close(reason=f"no picture for {FIRST_S:.0f} s")
        finally:
            self.without_place -= 1
        return None

    async def _receive(self, socket: WebSocket, camera_id: str, gate: FrameGate, first: bytes) -> None:
        seq, run_id, picture, refusal = 0, f"{time.time_ns() // 1_000_000:014d}", first, None
        while True:
            if refusal is None:
                frame = FrameCaptured(camera_id=camera_id, run_id=run_id, seq=seq, captured_at=utc_now(), jpeg=picture)
                refusal, seq = await self.guests.publish(frame), seq + 1
            await self._answer(socket, refusal)
            try:
                async with asyncio.timeout(IDLE_S):
                    received = await self._picture(socket)
            except TimeoutError:
                await socket.close(reason=f"no picture for {IDLE_S:.0f} s")
                return
            if received is None:
                return
            picture = received
            refusal = gate.refusal(picture, time.monotonic(), self.guests.pixels)

    async def _picture(self, socket: WebSocket) -> bytes | None:
        """The next; None once the connection is closed, by either side."""
        message = await socket.receive()
        if not self.is_open():
            await socket.close(BUSY, "closed now")
            return None
        if message["type"] == "websocket.disconnect":
            return None
        picture: bytes | None = message.get("bytes")
        if picture is None or len(picture) > MAX_BYTES:
            self.metrics.browser_frame("no_bytes" if picture is None else "too_big")
            await socket.close(WRONG_DATA if picture is None else TOO_BIG)
            return None
        return picture

    async def _answer(self, socket: WebSocket, refusal: Refusal | None) -> None:
        self.metrics.browser_frame(refusal.code if refusal else "accepted")
        why = {"code": refusal and refusal.code, "reason": refusal and refusal.reason}
        await socket.send_json({"accepted": refusal is None, **why})

    async def _keep_local_paused(self) -> None:
        """Where no local camera runs, nobody answers, and nothing is lost."""
        while True:
            await self.pause_local(PAUSE_S)
            await asyncio.sleep(PAUSE_EVERY_S)

    async def pause_local(self, seconds: float) -> None:
        """Ask the local camera to pause."""
        try:
            await self.guests.bus.ask(PauseCamera(camera_id=self.local_camera_id, seconds=seconds))
        except (RedisError, OSError, MoodstreamError) as error:
            log.debug("%s was not asked to pause: %s", self.local_camera_id, error)


async def publish_camera_status(
    bus: Bus, camera_id: str, state: Literal["online", "offline"], code: StatusCode, reason: str
) -> None:
    """Of a camera whose pictures come through the gateway; waits no more than ``PUBLISH_S`` for Redis."""
    status = StatusChanged(service="gateway", part=camera_id, state=state, code=code, reason=reason)
    try:
        await publish_within(bus, status, PUBLISH_S)
    except (RedisError, OSError) as error:
        log.warning("%s is %s, but this could not be published: %s", camera_id, state, error)
