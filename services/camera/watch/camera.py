"""One camera: its capture process with a watchdog over it, its frames on their way to Redis, and how it does."""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from moodstream.contracts.events import FrameCaptured
from moodstream.contracts.status_codes import StatusCode
from moodstream.errors import MoodstreamError
from services.camera.metrics import CameraMetrics
from services.camera.rules.address import PATTERN, is_live, masked
from services.camera.rules.cameras import CameraConfig
from services.camera.rules.health import Health, Limits, Seen, State, Verdict
from services.camera.rules.pacing import Restarts
from services.camera.watch.probe import answer_of
from services.camera.watch.process import COMMAND, CaptureProcess

RESTS: Mapping[StatusCode, str] = {
    StatusCode.RESTING: "rests while another camera is used",
    StatusCode.CLOSED: "the site is closed",
}
"""Why a camera may rest, in words."""
MAX_REST_S = 60.0
LOOK_EVERY_S = 0.2
PROBE_EVERY_S = 3.0
IDLE_AFTER_S = 10.0
"""so long after the last visit, or the start, pictures are taken at the idle rate"""
DARK_PAUSE_S = 30.0

Publish = Callable[[FrameCaptured], Awaitable[bool]]
Tell = Callable[[State, StatusCode, str], None]
Outcome = Literal["end", "again", "rest"]


class Camera:
    """Runs until its input ends; nothing of Redis ever holds up the watchdog."""

    def __init__(
        self,
        config: CameraConfig,
        publish: Publish,
        tell: Tell,
        metrics: CameraMetrics,
        limits: Limits | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.config = config
        self._publish, self._tell, self._metrics, self._command = publish, tell, metrics, command
        self._limits = limits or Limits(frozen_s=config.frozen_after_s)
        self._live = is_live(config.address)
        self._run_id, self._seq = f"{time.time_ns():020d}", 0
        self._restarts = Restarts()
        self._verdict: Verdict | None = None
        self._digest: int | None = None
        self._answer: str | None = None
        self._told: tuple[State, StatusCode, str] | None = None
        self._opened, self._taken = False, True
        self._replaced = False
        self._rests_until_s, self._why_it_rests = float("-inf"), StatusCode.RESTING
        self._somebody_s = time.monotonic()
        self._somebody = False
        self._newest: FrameCaptured | None = None
        self._news, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._picture: dict[str, Any] = {}

    def rest(self, seconds: float, why: StatusCode = StatusCode.RESTING) -> None:
        """Let go of the camera for a while; ``why`` is one of ``RESTS``."""
        self._why_it_rests = why
        self._rests_until_s = time.monotonic() + min(max(seconds, 0.0), MAX_REST_S)

    def visited(self, somebody: bool) -> None:
        """What the emotion service says: a visit at this camera goes on, or has ended."""
        self._somebody, self._somebody_s = somebody, time.monotonic()

    def status(self) -> dict[str, Any]:
        """What an operator asks for; never a picture, never the whole address."""
        state, code, reason = self._told or ("offline", StatusCode.NOT_STARTED, "not started yet")
        return {
            "camera_id": self.config.id,
            "address": masked(self.config.address),
            "state": state,
            "code": code,
            "reason": reason,
            "frames": self._seq,
            "restarts": self._metrics.restarts,
            "frame_rate": self.wanted_rate(),
            **self._picture,
        }

    def wanted_rate(self) -> float:
        """Pictures a second that are captured now."""
        full, idle = self.config.frame_rate, self.config.idle_frame_rate
        fixed = self.config.once or not 0 < idle < full
        if fixed or self._somebody or time.monotonic() - self._somebody_s < IDLE_AFTER_S:
            return full
        return idle

    async def run(self) -> None:
        """Raises MoodstreamError when the source is wrong from the start."""
        publishing = asyncio.create_task(self._publish_newest())
        code, reason = StatusCode.STOPPED, "stopped"
        try:
            while (outcome := await self._capture()) != "end":
                if outcome == "rest":
                    await self._rest()
                else:
                    await self._pause()
            await self._idle.wait()
            code, reason = StatusCode.END_OF_INPUT, "end of input"
        except MoodstreamError as error:
            code, reason = StatusCode.WRONG_SOURCE, str(error)
            raise
        finally:
            publishing.cancel()
            self._say("offline", code, reason)

    async def _capture(self) -> Outcome:
        """One capture process, from its start to its end."""
        if self._resting():
            return "rest"
        rate = self.wanted_rate()
        process = await CaptureProcess.start(replace(self.config.job(), rate=rate), self._command)
        started_s = time.monotonic()
        self._restarts.bad()
        health = Health(self._limits, started_s, self._verdict, self._digest, self._live)
        reading = asyncio.create_task(self._read(process, health))
        try:
            while not reading.done():
                await asyncio.wait({reading}, timeout=LOOK_EVERY_S)
                if self._resting():
                    return "rest"
                if rate != self.wanted_rate():
                    rate = self.wanted_rate()
                    process.set_rate(rate)
                if not reading.done() and self._judge(health, started_s):
                    return "again"
            return reading.result()
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            self._digest = health.digest
            await process.stop()

    def _judge(self, health: Health, started_s: float) -> bool:
        """Take in how the camera does; returns whether its process is of no use."""
        now_s = time.monotonic()
        verdict = health.verdict(now_s, self.wanted_rate())
        self._metrics.source_rate(health.rate() or 0.0)
        if verdict is None:
            return False
        self._verdict = verdict
        self._show()
        if verdict.state == "online":
            self._restarts.good(now_s)
            self._answer = None
        else:
            self._restarts.bad()
        if verdict.cure == "restart_later":
            self._replaced = now_s - started_s > DARK_PAUSE_S and self._restarts.allowed_in_s(now_s) == 0
            return self._replaced
        return verdict.cure == "restart"

    async def _read(self, process: CaptureProcess, health: Health) -> Outcome:
        """Messages of the process until it ends."""
        while (message := await process.read()) is not None:
            fields, jpeg = message
            now_s = time.monotonic()
            match fields["kind"]:
                case "started":
                    health.started(now_s)
                case "opened":
                    self._opened = True
                    self._picture = {"width": fields["width"], "height": fields["height"]}
                    health.opened(now_s, fields["rate"])
                case "pulse":
                    health.pulse(now_s, fields["arrived"], fields["broken"])
                case "picture":
                    health.picture(now_s, Seen(zlib.crc32(jpeg), fields["light"], fields["contrast"]))
                    self._verdict = health.verdict(now_s, self.wanted_rate()) or self._verdict
                    self._show()
                    await self._take(fields, jpeg)
                case "lost":
                    self._verdict = Verdict("offline", StatusCode(fields["code"]), fields["reason"])
                    self._show()
                    return "again"
                case "wrong" if not self._opened:
                    raise MoodstreamError(fields["reason"])
                case "end":
                    return "end"
        self._verdict = Verdict("offline", StatusCode.CRASHED, "the capture process has ended")
        self._show()
        return "again"

    async def _take(self, fields: dict[str, Any], jpeg: bytes) -> None:
        self._metrics.frame_captured(fields["light"], fields["sharpness"])
        self._picture |= {name: round(fields[name], 1) for name in ("light", "sharpness")}
        if self._verdict is None or self._verdict.state == "offline":
            self._metrics.frame_dropped("unfit")
            return
        if not self.config.real_time:
            await self._idle.wait()
        elif self._newest is not None:
            self._metrics.frame_dropped("newer")
        self._newest = FrameCaptured(
            camera_id=self.config.id,
            run_id=self._run_id,
            seq=self._seq,
            captured_at=datetime.fromtimestamp(fields["at"], UTC),
            jpeg=jpeg,
        )
        self._seq += 1
        self._idle.clear()
        self._news.set()

    async def _publish_newest(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            frame, self._newest = self._newest, None
            if frame is not None:
                self._taken = await self._publish(frame)
                if self._taken:
                    self._metrics.frame_published(time.time() - frame.captured_at.timestamp())
                else:
                    self._metrics.frame_dropped("redis")
                self._show()
            if self._newest is None:
                self._idle.set()

    async def _rest(self) -> None:
        self._verdict = None
        while self._resting():
            self._say("offline", self._why_it_rests, RESTS[self._why_it_rests])
            await asyncio.sleep(LOOK_EVERY_S)

    def _resting(self) -> bool:
        return time.monotonic() < self._rests_until_s

    async def _pause(self) -> None:
        """Wait before the next start: until the pause is over, or the camera answers otherwise than before."""
        begun_s = time.monotonic()
        # one that was replaced every half a minute has waited enough
        until_s = begun_s + (Restarts.MIN_S if self._replaced else self._restarts.pause_s())
        self._replaced = False
        earliest_s = begun_s + min(Restarts.MIN_S, until_s - begun_s)
        while not self._resting():
            now_s = time.monotonic()
            allowed = self._restarts.allowed_in_s(now_s) == 0
            if allowed and (now_s >= until_s or (now_s >= earliest_s and await self._answers_anew())):
                break
            await asyncio.sleep(min(PROBE_EVERY_S, max(0.05, until_s - now_s)) if allowed else LOOK_EVERY_S)
        self._restarts.started(time.monotonic())
        self._metrics.restarted()

    async def _answers_anew(self) -> bool:
        answer = await answer_of(self.config.address) or ""
        before, self._answer = self._answer, answer
        return before is not None and bool(answer) and answer != before

    def _show(self) -> None:
        """Say how the camera does, if that has changed."""
        if self._verdict is None:
            return
        if self._verdict.state != "online":
            self._say(self._verdict.state, self._verdict.code, self._verdict.reason)
        elif self._taken:
            self._say("online", *self._what())
        else:
            self._say("degraded", StatusCode.FRAMES_REFUSED, "frames are dropped, Redis does not take them")

    def _what(self) -> tuple[StatusCode, str]:
        """What gives the pictures."""
        if self.config.address == PATTERN:
            return StatusCode.DRAWN, "drawn face"
        if self._live:
            return StatusCode.LIVE, ""
        return StatusCode.FILE, masked(self.config.address).rstrip("/").rpartition("/")[2]

    def _say(self, state: State, code: StatusCode, reason: str) -> None:
        if self._told == (state, code, reason):
            return
        self._told = state, code, reason
        self._metrics.state(state)
        self._tell(state, code, reason)
