"""A microphone of this machine, through PortAudio (``sounddevice``), which is imported here alone."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from moodstream.contracts.status_codes import StatusCode
from moodstream.errors import MoodstreamError
from services.voice.log_mel import Floats
from services.voice.microphone.source import MicrophoneFault
from services.voice.sound_files import Resampler

BLOCK_S = 0.25
SILENT_FOR_S = 5.0
"""A device that gives nothing for so long has been pulled out."""
MAX_WAITING = 20
"""blocks that have not been read; what comes then is dropped"""


def load_sounddevice() -> Any:
    """The library. Raises MoodstreamError where it, or PortAudio below it, is not installed."""
    try:
        import sounddevice
    except ImportError:
        text = "a microphone of this machine needs sounddevice: pip install 'moodstream[microphone]'"
        raise MoodstreamError(text) from None
    except OSError:  # its way to say that the library of the system is not there
        text = "a microphone of this machine needs PortAudio, such as Debian's package libportaudio2"
        raise MoodstreamError(text) from None
    return sounddevice


class Device:
    """``library`` is the module ``sounddevice``, or what stands in for it in a test."""

    CODE = StatusCode.LIVE

    def __init__(self, name: str | None, library: Any) -> None:
        """``name``: a part of the device's name, or its number; the system's default when None."""
        self._name = int(name) if name is not None and name.isdecimal() else name
        self._library = library

    async def blocks(self) -> AsyncGenerator[Floats, None]:
        loop, waiting = asyncio.get_running_loop(), asyncio.Queue[Floats](MAX_WAITING)

        def put(block: Floats) -> None:
            with contextlib.suppress(asyncio.QueueFull):
                waiting.put_nowait(block)

        def receive(data: Any, *_: Any) -> None:
            """In a thread of PortAudio; ``data`` is float32[n, 1], and only valid now."""
            loop.call_soon_threadsafe(put, np.array(data[:, 0], np.float32))

        stream, rate = await asyncio.to_thread(self._open, receive)
        try:
            resampler = Resampler(rate)
            while True:
                try:
                    async with asyncio.timeout(SILENT_FOR_S):
                        block = await waiting.get()
                except TimeoutError:
                    text = f"{self._called} gives nothing any more"
                    raise MicrophoneFault(text, StatusCode.LOST) from None
                yield resampler.resample(block)
        finally:
            await asyncio.to_thread(stream.close)

    @property
    def _called(self) -> str:
        return "the microphone" if self._name is None else f"the microphone {self._name!r}"

    def _open(self, receive: Any) -> tuple[Any, int]:
        """A stream that runs, and its rate: that of the device, since many know no other. Raises MicrophoneFault."""
        library = self._library
        try:
            # PortAudio lists the devices once, when it starts; one that was plugged in since is found only anew
            library._terminate()
            library._initialize()
            rate = int(library.query_devices(self._name, "input")["default_samplerate"])
            stream = library.InputStream(
                samplerate=rate,
                blocksize=int(BLOCK_S * rate),
                device=self._name,
                channels=1,
                dtype="float32",
                callback=receive,
            )
            stream.start()
        except ValueError:  # no device of that name, or several
            raise MicrophoneFault(f"there is not exactly one microphone {self._name!r}") from None
        except library.PortAudioError as error:
            reason = str(error.args[0]) if error.args else type(error).__name__
            raise MicrophoneFault(f"{self._called} cannot be opened: {reason}") from None
        return stream, rate
