"""One camera: its capture process with a watchdog, its frames on their way to Redis, and its status."""

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
from services.camera.rules.address import DRAWN, is_live, masked
from services.camera.rules.cameras import CameraConfig
from services.camera.rules.health import Health, Limits, PictureStats, State, Verdict
from services.camera.rules.pacing import Restarts
from services.camera.rules.progress import STUCK_AFTER_ROUNDS, Progress
from services.camera.watch.probe import probe_camera
from services.camera.watch.process import COMMAND, CaptureProcess
from shared.tasks import end_tasks

PAUSE_REASONS: Mapping[StatusCode, str] = {
    StatusCode.RESTING: "rests while another camera is used",
    StatusCode.CLOSED: "the site is closed",
}
"""Why a camera may be paused, in words."""
MAX_PAUSE_S = 60.0
CHECK_EVERY_S = 0.2
PROBE_EVERY_S = 3.0
IDLE_AFTER_S = 10.0
"""this long after the start or the last visit the idle rate begins"""
DARK_DELAY_S = 30.0
CAPTURES, PUBLISHING = "its captures have", "publishing its frames has"

Publish = Callable[[FrameCaptured], Awaitable[bool]]
SendStatus = Callable[[State, StatusCode, str], None]
Outcome = Literal["end", "restart", "pause"]


class Camera:
    """Runs until its input ends; nothing of Redis ever holds up the watchdog."""

    def __init__(
        self,
        config: CameraConfig,
        publish: Publish,
        send_status: SendStatus,
        metrics: CameraMetrics,
        limits: Limits | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.config = config
        self._publish, self._send_status, self._metrics, self._command = publish, send_status, metrics, command
        self._limits = limits or Limits.of(config.frozen_after_s, config.frame_rate)
        self._live = is_live(config.address)
        self._run_id, self._seq = f"{time.time_ns():020d}", 0
        self._restarts = Restarts()
        self._verdict: Verdict | None = None
        self._digest: int | None = None
        self._last_answer: str | None = None
        self._last_status: tuple[State, StatusCode, str] | None = None
        self._opened, self._redis_accepts = False, True
        self._replaced = False
        self._paused_until_s, self._pause_code = float("-inf"), StatusCode.RESTING
        self._visitor_seen_s = time.monotonic()
        self._visitor_present = False
        self._newest: FrameCaptured | None = None
        self._frame_waiting, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._picture: dict[str, Any] = {}
        self._progress = Progress()

    def pause(self, seconds: float, reason: StatusCode = StatusCode.RESTING) -> None:
        """Let go of the camera for a while; ``reason`` is one of ``PAUSE_REASONS``."""
        self._pause_code = reason
        self._paused_until_s = time.monotonic() + min(max(seconds, 0.0), MAX_PAUSE_S)

    def note_visit(self, present: bool) -> None:
        """Note whether a visit at this camera goes on or has ended, as the emotion service reports."""
        self._visitor_present, self._visitor_seen_s = present, time.monotonic()

    def status(self) -> dict[str, Any]:
        """The status for operators; never a picture, never the whole address."""
        state, code, reason = self._last_status or ("offline", StatusCode.NOT_STARTED, "not started yet")
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
        """Pictures a second to capture now."""
        full, idle = self.config.frame_rate, self.config.idle_frame_rate
        fixed = self.config.once or not 0 < idle < full
        if fixed or self._visitor_present or time.monotonic() - self._visitor_seen_s < IDLE_AFTER_S:
            return full
        return idle

    def stuck(self) -> str | None:
        """What does not go on any more, and said so; asked once a second, or it counts wrong."""
        if (what := self._progress.round()) is None:
            return None
        reason = f"{what} not gone on for {STUCK_AFTER_ROUNDS} s"
        self._publish_status("offline", StatusCode.STUCK, reason)
        return reason

    async def run(self) -> None:
        """Raises MoodstreamError when the source is wrong from the start."""
        publishing = asyncio.create_task(self._publish_newest())
        code, reason = StatusCode.STOPPED, "stopped"
        try:
            while (outcome := await self._capture()) != "end":
                if outcome == "pause":
                    await self._wait_while_paused()
                else:
                    await self._wait_before_restart()
            self._progress.done(CAPTURES)
            await self._idle.wait()
            code, reason = StatusCode.END_OF_INPUT, "end of input"
        except MoodstreamError as error:
            code, reason = StatusCode.WRONG_SOURCE, str(error)
            raise
        finally:
            for what in (CAPTURES, PUBLISHING):
                self._progress.done(what)
            try:
                await end_tasks(publishing)
            finally:
                self._publish_status("offline", code, reason)

    async def _capture(self) -> Outcome:
        """One capture process, from its start to its end."""
        self._progress.goes_on(CAPTURES)
        if self._is_paused():
            return "pause"
        rate = self.wanted_rate()
        process = await CaptureProcess.start(replace(self.config.job(), rate=rate), self._command)
        started_s = time.monotonic()
        self._restarts.bad()
        health = Health(self._limits, started_s, self._verdict, self._digest, self._live)
        reading = asyncio.create_task(self._read_messages(process, health))
        try:
            while not reading.done():
                await asyncio.wait({reading}, timeout=CHECK_EVERY_S)
                self._progress.goes_on(CAPTURES)
                if self._is_paused():
                    return "pause"
                if rate != self.wanted_rate():
                    rate = self.wanted_rate()
                    process.set_rate(rate)
                if not reading.done() and self._apply_verdict(health, started_s):
                    return "restart"
            return reading.result()
        finally:
            try:
                await end_tasks(reading)
            finally:
                self._digest = health.digest
                await process.stop()

    def _apply_verdict(self, health: Health, started_s: float) -> bool:
        """Act on the state of the camera. Returns whether its process must be replaced."""
        now_s = time.monotonic()
        verdict = health.verdict(now_s, self.wanted_rate())
        self._metrics.source_rate(health.rate() or 0.0)
        if verdict is None:
            return False
        self._verdict = verdict
        self._publish_verdict()
        if verdict.state == "online":
            self._restarts.good(now_s)
            self._last_answer = None
        else:
            self._restarts.bad()
        if verdict.cure == "restart_later":
            self._replaced = now_s - started_s > DARK_DELAY_S and self._restarts.allowed_in_s(now_s) == 0
            return self._replaced
        return verdict.cure == "restart"

    async def _read_messages(self, process: CaptureProcess, health: Health) -> Outcome:
        """Messages of the process until it ends."""
        while (message := await process.read_message()) is not None:
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
                    health.picture(now_s, PictureStats(zlib.crc32(jpeg), fields["light"], fields["contrast"]))
                    self._verdict = health.verdict(now_s, self.wanted_rate()) or self._verdict
                    self._publish_verdict()
                    await self._queue_frame(fields, jpeg)
                case "unavailable":
                    self._verdict = Verdict("offline", StatusCode(fields["code"]), fields["reason"])
                    self._publish_verdict()
                    return "restart"
                case "invalid" if not self._opened:
                    raise MoodstreamError(fields["reason"])
                case "end":
                    return "end"
        self._verdict = Verdict("offline", StatusCode.CRASHED, "the capture process has ended")
        self._publish_verdict()
        return "restart"

    async def _queue_frame(self, fields: dict[str, Any], jpeg: bytes) -> None:
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
        if self._idle.is_set():
            self._progress.goes_on(PUBLISHING)
        self._idle.clear()
        self._frame_waiting.set()

    async def _publish_newest(self) -> None:
        while True:
            await self._frame_waiting.wait()
            self._frame_waiting.clear()
            frame, self._newest = self._newest, None
            if frame is not None:
                self._redis_accepts = await self._publish(frame)
                self._progress.goes_on(PUBLISHING)
                if self._redis_accepts:
                    self._metrics.frame_published(time.time() - frame.captured_at.timestamp())
                else:
                    self._metrics.frame_dropped("redis")
                self._publish_verdict()
            if self._newest is None:
                self._progress.done(PUBLISHING)
                self._idle.set()

    async def _wait_while_paused(self) -> None:
        self._verdict = None
        while self._is_paused():
            self._progress.goes_on(CAPTURES)
            self._publish_status("offline", self._pause_code, PAUSE_REASONS[self._pause_code])
            await asyncio.sleep(CHECK_EVERY_S)

    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until_s

    async def _wait_before_restart(self) -> None:
        """Wait before the next start: until the pause is over, or the camera answers otherwise than before."""
        begun_s = time.monotonic()
        # one that was replaced every half a minute has waited enough
        until_s = begun_s + (Restarts.MIN_S if self._replaced else self._restarts.next_delay_s())
        self._replaced = False
        earliest_s = begun_s + min(Restarts.MIN_S, until_s - begun_s)
        while not self._is_paused():
            self._progress.goes_on(CAPTURES)
            now_s = time.monotonic()
            allowed = self._restarts.allowed_in_s(now_s) == 0
            if allowed and (now_s >= until_s or (now_s >= earliest_s and await self._answers_differently())):
                break
            await asyncio.sleep(min(PROBE_EVERY_S, max(0.05, until_s - now_s)) if allowed else CHECK_EVERY_S)
        self._restarts.started(time.monotonic())
        self._metrics.restarted()

    async def _answers_differently(self) -> bool:
        answer = await probe_camera(self.config.address) or ""
        before, self._last_answer = self._last_answer, answer
        return before is not None and bool(answer) and answer != before

    def _publish_verdict(self) -> None:
        """Publish the state of the camera, if it has changed."""
        if self._verdict is None:
            return
        if self._verdict.state != "online":
            self._publish_status(self._verdict.state, self._verdict.code, self._verdict.reason)
        elif self._redis_accepts:
            self._publish_status("online", *self._source())
        else:
            refused = "frames are dropped, Redis does not take them"
            self._publish_status("degraded", StatusCode.FRAMES_REFUSED, refused)

    def _source(self) -> tuple[StatusCode, str]:
        """What gives the pictures."""
        if self.config.address in DRAWN:
            return StatusCode.DRAWN, "drawn face"
        if self._live:
            return StatusCode.LIVE, ""
        return StatusCode.FILE, masked(self.config.address).rstrip("/").rpartition("/")[2]

    def _publish_status(self, state: State, code: StatusCode, reason: str) -> None:
        if self._last_status == (state, code, reason):
            return
        self._last_status = state, code, reason
        self._metrics.state(state)
        self._send_status(state, code, reason)
