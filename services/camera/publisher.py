"""The background job of a camera: pictures of a source to frames on the stream, and how the camera does."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.camera.capture import Backoff, Pace
from services.camera.sources import Source, SourceLost, encode, is_live, masked, now_run_id, open_source
from shared.bus import Bus
from shared.events import FrameCaptured, StatusChanged, utc_now

log = logging.getLogger("moodstream.camera")

END_OF_INPUT = "end of input"
LONGEST_PAUSE_S = 60.0
LATE_S = 1.0


@dataclass(frozen=True)
class Frames:
    """How frames are made."""

    camera_id: str
    address: str
    frames_per_s: float
    max_side_px: int
    jpeg_quality: int
    once: bool


class Publisher:
    """Publishes the frames of one camera until its input ends."""

    def __init__(self, bus: Bus, frames: Frames, source: Source | None, ended: Callable[[], None] | None) -> None:
        self._bus, self._frames, self._source, self._ended = bus, frames, source, ended
        self._run_id, self._seq = now_run_id(), 0
        self._rests_until_s = 0.0
        self._state = ""
        self._telling: asyncio.Task[None] | None = None
        """a status that waits for Redis, while frames are tried on"""

    def rest(self, seconds: float) -> None:
        """Capture nothing for a while: somebody else's camera is used."""
        self._rests_until_s = time.monotonic() + min(max(seconds, 0.0), LONGEST_PAUSE_S)

    def status(self) -> dict[str, str | int]:
        """What an operator asks for; never a picture."""
        return {"camera_id": self._frames.camera_id, "state": self._state, "frames": self._seq}

    async def run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._capture(backoff)
            except SourceLost as lost:
                await self._tell("offline", str(lost))
                await asyncio.sleep(backoff.pause_s())
                continue
            if self._frames.once:
                await self._tell("offline", END_OF_INPUT)
                if self._ended is not None:
                    self._ended()
                return

    async def _capture(self, backoff: Backoff) -> None:
        """Publish one pass of the source; returns at its end. Raises SourceLost."""
        source, self._source = self._source, None
        if source is None:
            source = await asyncio.to_thread(open_source, self._frames.address)
        try:
            start_s, pace = time.monotonic(), Pace(self._frames.frames_per_s)
            while True:
                at_s = pace.next(time.monotonic() - start_s)
                await asyncio.sleep(max(0.0, start_s + at_s - time.monotonic()))
                if time.monotonic() < self._rests_until_s:
                    continue
                jpeg = await asyncio.to_thread(self._read, source, at_s)
                if jpeg is None:
                    return
                backoff.reset()
                await self._publish(jpeg)
                late_s = time.monotonic() - start_s - at_s
                if late_s > LATE_S:  # a source that is slower than its own time plays slower, without ever larger gaps
                    start_s += late_s
        finally:
            await asyncio.to_thread(source.close)

    def _read(self, source: Source, at_s: float) -> bytes | None:
        image = source.read(at_s)
        return None if image is None else encode(image, self._frames.max_side_px, self._frames.jpeg_quality)

    async def _publish(self, jpeg: bytes) -> None:
        frame = FrameCaptured(
            camera_id=self._frames.camera_id, run_id=self._run_id, seq=self._seq, captured_at=utc_now(), jpeg=jpeg
        )
        self._seq += 1
        if await self._bus.publish_frame(frame):
            await self._tell("online", self._what())
        elif self._state != "degraded":
            self._telling = asyncio.create_task(self._tell("degraded", "frames are dropped, Redis does not take them"))

    def _what(self) -> str:
        if self._frames.address == "pattern:":
            return "drawn face"
        return "" if is_live(self._frames.address) else masked(self._frames.address).rpartition("/")[2]

    async def _tell(self, state: Literal["online", "offline", "degraded"], reason: str) -> None:
        if state == self._state and state != "offline":
            return
        self._state = state
        log.info("%s is %s: %s", self._frames.camera_id, state, reason)
        await self._bus.publish(
            StatusChanged(service="camera", part=self._frames.camera_id, state=state, reason=reason)
        )
