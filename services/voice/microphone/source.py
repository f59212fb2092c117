"""Where the sound of ``MOODSTREAM_MICROPHONE`` comes from, behind one small interface."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Protocol

from moodstream.contracts.status_codes import StatusCode
from moodstream.errors import MoodstreamError, SettingError
from services.voice.log_mel import RATE, Floats
from services.voice.sound_files import read_blocks

SETTING = "MOODSTREAM_MICROPHONE"


class MicrophoneFault(MoodstreamError):
    """No sound comes, and why; it may come later."""

    def __init__(self, words: str, code: StatusCode = StatusCode.NOT_OPENED) -> None:
        super().__init__(words)
        self.code = code


class Source(Protocol):
    """Sound as it is heard."""

    CODE: StatusCode
    """of the status while it works"""

    def blocks(self) -> AsyncGenerator[Floats, None]:
        """Mono sound float32[n] at 16 kHz in -1..1, in parts of at most a second. Raises MicrophoneFault."""
        ...


class SoundFile:
    """A file that is played in real time, once."""

    CODE = StatusCode.FILE

    def __init__(self, path: Path) -> None:
        self._path = path

    async def blocks(self) -> AsyncGenerator[Floats, None]:
        blocks = read_blocks(self._path)
        due_s = time.monotonic()
        while True:
            try:
                block = await asyncio.to_thread(next, blocks, None)
            except MoodstreamError as error:
                raise MicrophoneFault(f"{self._path.name}: {error}") from None
            if block is None:
                return
            due_s += len(block) / RATE
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            yield block


def parse_microphone(text: str) -> tuple[str, str] | None:
    """What kind (``file`` or ``device``), and which; None for none. Raises SettingError."""
    kind, colon, name = text.partition(":")
    if not text:
        return None
    if kind not in ("file", "device") or (colon and not name) or (kind == "file" and not colon):
        raise SettingError(SETTING, f"{text!r} is none of file:PATH, device or device:NAME")
    return kind, name


def create_source(text: str) -> Source | None:
    """The source of a setting; None for none. Raises MoodstreamError where what it needs is not installed."""
    match parse_microphone(text):
        case None:
            return None
        case "file", name:
            return SoundFile(Path(name))
        case _, name:
            from services.voice.microphone.device import Device, load_sounddevice

            return Device(name or None, load_sounddevice())
