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
from services.gateway.metrics import Metrics
from shared.bus.connection import Bus
from shared.tasks import end_tasks

log = logging.getLogger("moodstream.gateway")

JPEG_MAGIC = b"\xff\xd8\xff"
MAX_BYTES = 2 * 1024 * 1024
MAX_FRAMES_PER_S = 15
IDLE_S = 10.0
"""A browser that sends nothing for so long has gone to sleep, and the local camera may capture again."""
PAUSE_EVERY_S = 5.0
PAUSE_S = 10
PUBLISH_S = 2.0

WRONG_DATA, TOO_BIG, BUSY = 1003, 1009, 1013
"""Codes of RFC 6455 and its registry at IANA."""


@dataclass(frozen=True)
class Refusal:
    """Why a picture is not taken."""

    code: Literal["no_jpeg", "too_fast", "not_taken"]
    reason: str


NO_JPEG = Refusal("no_jpeg", "this is no JPEG picture")
TOO_FAST = Refusal("too_fast", f"more than {MAX_FRAMES_PER_S} pictures a second")
NOT_TAKEN = Refusal("not_taken", "Redis did not take it")


@dataclass
class FrameGate:
    """Lets a picture in or says why not; ``now`` is monotonic seconds."""

    min_gap_s: float = 1 / MAX_FRAMES_PER_S
    last_s: float = field(default=float("-inf"))

    def refusal(self, picture: bytes, now: float) -> Refusal | None:
        if not picture.startswith(JPEG_MAGIC):
            return NO_JPEG
        if now - self.last_s < self.min_gap_s:
            return TOO_FAST
        self.last_s = now
        return None


@dataclass
class BrowserCameras:
    """Serves up to ``max_browsers`` at a time."""

    bus: Bus
    local_camera_id: str
    """camera that pauses while a browser sends"""
    frame_rate: float
    max_browsers: int
    is_open: Callable[[], bool] = lambda: True
    """whether the site takes pictures now"""
    metrics: Metrics = field(default_factory=Metrics)
    connected: int = 0

    async def serve(self, socket: WebSocket) -> None:
        """One browser, from connection to disconnection."""
        await socket.accept()
        if not self.is_open():
            await socket.close(BUSY, "closed now")
            return
        if self.connected >= self.max_browsers:
            await socket.close(BUSY, "too many browsers send pictures already")
            return
        self.connected += 1
        try:
            await self._stream(socket, f"browser-{token_hex(6)}")
        except WebSocketDisconnect:
            log.debug("a browser left before it was answered")
        finally:
            self.connected -= 1

    async def _stream(self, socket: WebSocket, camera_id: str) -> None:
        await socket.send_json({"camera_id": camera_id, "frame_rate": self.frame_rate})
        await publish_camera_status(self.bus, camera_id, "online", StatusCode.BROWSER, "camera of a browser")
        pausing = asyncio.create_task(self._keep_local_paused())
        try:
            await self._receive(socket, camera_id)
        finally:
            await end_tasks(pausing)
            await publish_camera_status(self.bus, camera_id, "offline", StatusCode.END_OF_INPUT, "end of input")

    async def _receive(self, socket: WebSocket, camera_id: str) -> None:
        gate, seq, run_id = FrameGate(), 0, f"{time.time_ns() // 1_000_000:014d}"
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    message = await socket.receive()
            except TimeoutError:
                await socket.close(reason=f"no picture for {IDLE_S:.0f} s")
                return
            if not self.is_open():
                await socket.close(BUSY, "closed now")
                return
            if message["type"] == "websocket.disconnect":
                return
            picture = message.get("bytes")
            if picture is None or len(picture) > MAX_BYTES:
                self.metrics.browser_frame("no_bytes" if picture is None else "too_big")
                await socket.close(WRONG_DATA if picture is None else TOO_BIG)
                return
            refusal = gate.refusal(picture, time.monotonic())
            if refusal is None:
                frame = FrameCaptured(camera_id=camera_id, run_id=run_id, seq=seq, captured_at=utc_now(), jpeg=picture)
                refusal = None if await self.bus.publish_frame(frame) else NOT_TAKEN
                seq += 1
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
            await self.bus.ask(PauseCamera(camera_id=self.local_camera_id, seconds=seconds))
        except (RedisError, OSError, MoodstreamError) as error:
            log.debug("%s was not asked to pause: %s", self.local_camera_id, error)


async def publish_camera_status(
    bus: Bus, camera_id: str, state: Literal["online", "offline"], code: StatusCode, reason: str
) -> None:
    """Of a camera whose pictures come through the gateway; waits no more than ``PUBLISH_S`` for Redis."""
    status = StatusChanged(service="gateway", part=camera_id, state=state, code=code, reason=reason)
    try:
        async with asyncio.timeout(PUBLISH_S):
            await bus.publish(status)
    except (RedisError, OSError) as error:
        log.warning("%s is %s, but this could not be published: %s", camera_id, state, error)
