"""Tries a camera for a few seconds, for ``moodstream camera test``: what it gives, hints on light and focus."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from moodstream.errors import MoodstreamError
from services.camera.rules.address import BROWSER, DRAWN, is_live, masked
from services.camera.rules.cameras import CameraConfig
from services.camera.watch.process import COMMAND, CaptureProcess

OPEN_S = 12.0
DARK, BRIGHT, FLAT, BLURRED = 45.0, 215.0, 12.0, 30.0


@dataclass(frozen=True)
class Trial:
    """The result; never a picture, never the whole address."""

    camera: str
    address: str
    fault: str | None = None
    width: int = 0
    height: int = 0
    rate: float = 0.0
    """pictures a second that the camera gave"""
    light: float = 0.0
    contrast: float = 0.0
    sharpness: float = 0.0
    hints: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def try_camera(config: CameraConfig, seconds: float, command: Sequence[str] = COMMAND) -> tuple[Trial, bytes]:
    """The result and the last picture, a JPEG after masks, crop and rotation; empty without any."""
    return asyncio.run(_try(config, seconds, command))


def check_files(cameras: Sequence[CameraConfig]) -> None:
    """Raises MoodstreamError for the first file that is not a picture, video or folder. Takes half a second each."""
    files = [one for one in cameras if not is_live(one.address) and one.address not in (*DRAWN, BROWSER)]
    with ThreadPoolExecutor(1) as pool:  # a thread has no event loop yet, whoever calls
        for trial, _ in pool.map(lambda one: try_camera(one, 0.0), files):
            if trial.fault is not None:
                raise MoodstreamError(f"camera {trial.camera}: {trial.fault}")


async def _try(config: CameraConfig, seconds: float, command: Sequence[str]) -> tuple[Trial, bytes]:
    process = await CaptureProcess.start(config.job(), command)
    observer = _Observer(config, seconds)
    try:
        async with asyncio.timeout(OPEN_S + seconds):
            while not observer.is_done(seconds) and (message := await process.read_message()) is not None:
                observer.apply_message(*message)
    except TimeoutError:
        observer.fault = observer.fault or "gives no pictures"
    finally:
        await process.stop()
    return observer.result(), observer.jpeg


class _Observer:
    """What the messages of the capture process show."""

    def __init__(self, config: CameraConfig, seconds: float) -> None:
        self._config = config
        self._settle_s = min(
            1.0, seconds / 3
        )  # pictures that were buffered while the stream was opened come all at once
        self.fault: str | None = None
        self.jpeg = b""
        self._opened_s: float | None = None
        self._size = 0, 0
        self._last: dict[str, Any] = {}
        self._pulses: list[tuple[float, int]] = []

    def apply_message(self, fields: dict[str, Any], jpeg: bytes) -> None:
        match fields["kind"]:
            case "opened":
                self._opened_s, self._size = time.monotonic(), (fields["width"], fields["height"])
            case "picture":
                self._last, self.jpeg = fields, jpeg
            case "pulse" if self._opened_s is not None and time.monotonic() - self._opened_s > self._settle_s:
                self._pulses.append((time.monotonic(), fields["arrived"]))
            case "unavailable" | "invalid":
                self.fault = fields["reason"]

    def is_done(self, seconds: float) -> bool:
        """After a fault; or after a picture, this many seconds after the camera was opened."""
        if self.fault is not None:
            return True
        return self._opened_s is not None and bool(self.jpeg) and time.monotonic() - self._opened_s >= seconds

    def result(self) -> Trial:
        name, address = self._config.id, masked(self._config.address)
        if not self._last:
            return Trial(name, address, self.fault or "gives no pictures")
        (first_s, first), (last_s, last) = (self._pulses[0], self._pulses[-1]) if self._pulses else ((0.0, 0), (0.0, 0))
        rate = (last - first) / (last_s - first_s) if last_s > first_s else 0.0
        return Trial(
            name,
            address,
            self.fault,
            *self._size,
            rate=round(rate, 1),
            **{name: round(self._last[name], 1) for name in ("light", "contrast", "sharpness")},
            hints=tuple(self._hints(rate)),
        )

    def _hints(self, rate: float) -> list[str]:
        light, contrast, sharpness = (self._last[name] for name in ("light", "contrast", "sharpness"))
        hints = []
        if light < DARK:
            hints.append("too dark: more light on the face, none behind it")
        elif light > BRIGHT:
            hints.append("too bright: less light, or turn away from the window")
        if contrast < FLAT:
            hints.append("hardly any contrast: is the lens covered or dirty?")
        elif sharpness < BLURRED:
            hints.append("out of focus, or the lens is dirty")
        if is_live(self._config.address) and 0 < rate < self._config.frame_rate * 0.8:
            hints.append(
                f"slower than the {self._config.frame_rate:g} pictures a second that are wanted: more light helps"
            )
        if min(self._size) < 240:
            hints.append("few pixels: faces farther away than an arm's length will not be found")
        return hints
