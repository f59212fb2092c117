"""The microphone of this machine: a file in real time, a device, and everything that may be wrong with it.

There is no microphone where tests run, so a simulated PortAudio stands in for the library ``sounddevice``. It has its
functions, and answers as the real one does; what only a real device shows (its rates, its noise) is not tested here.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moodstream.contracts.events import VoiceRead
from moodstream.contracts.requests import PauseCamera
from moodstream.errors import MoodstreamError, SettingError
from services.voice.log_mel import RATE, Floats
from services.voice.main import VoiceSettings
from services.voice.microphone import device, job
from services.voice.microphone.device import Device, load_sounddevice
from services.voice.microphone.source import SoundFile, create_source, parse_microphone
from shared.settings import load
from tests.support.voice.services import voices
from tests.support.voices import babble, write_sound

PAUSE = np.zeros(RATE, np.float32)
SENTENCE = np.concatenate([PAUSE, babble(1.5), PAUSE])


class PortAudioError(Exception):
    pass


class SimulatedPortAudio:
    """Stands in for the module ``sounddevice``: one microphone, at 44.1 kHz, that says ``sound`` again and again."""

    PortAudioError = PortAudioError
    RATE = 44_100

    def __init__(self, sound: Floats, name: str = "Simulated microphone") -> None:
        places = np.arange(int(len(sound) * self.RATE / RATE)) * RATE / self.RATE
        self.sound = np.interp(places, np.arange(len(sound)), sound).astype(np.float32)
        self.name = name
        self.refuses: str | None = None
        self.gives = True
        self.opened = self.closed = self.listed = 0

    def _terminate(self) -> None:
        pass

    def _initialize(self) -> None:
        self.listed += 1

    def query_devices(self, name: str | int | None, kind: str) -> dict[str, Any]:
        assert kind == "input"
        if self.refuses is not None:
            raise PortAudioError(self.refuses)
        if name not in (None, 0) and str(name) not in self.name:
            raise ValueError(f"No input device matching {name!r}")
        return {"name": self.name, "default_samplerate": float(self.RATE)}

    def InputStream(self, **options: Any) -> "SimulatedStream":
        assert options["samplerate"] == self.RATE
        assert (options["channels"], options["dtype"]) == (1, "float32")
        self.opened += 1
        return SimulatedStream(self, options["callback"], options["blocksize"])


class SimulatedStream:
    def __init__(self, library: SimulatedPortAudio, callback: Callable[..., None], block: int) -> None:
        self._library, self._callback, self._block = library, callback, block
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        place, sound = 0, self._library.sound
        while not self._ends.wait(self._block / SimulatedPortAudio.RATE):
            if self._library.gives:
                block = sound.take(range(place, place + self._block), mode="wrap")
                self._callback(block[:, None], self._block, None, None)
                place += self._block

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        self._library.closed += 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("device", ("device", "")),
        ("device:USB: front", ("device", "USB: front")),
        ("file:a b.wav", ("file", "a b.wav")),
    ],
)
def test_a_setting_names_a_microphone(text: str, expected: object) -> None:
    assert parse_microphone(text) == expected


@pytest.mark.parametrize("text", ["file", "file:", "device:", "yes", "alsa:hw0", "http://127.0.0.1/a.wav"])
def test_a_wrong_setting_is_told_in_one_line(text: str) -> None:
    with pytest.raises(SettingError, match=r"^MOODSTREAM_MICROPHONE: .* is none of file:PATH, device or device:NAME$"):
        load(VoiceSettings, microphone=text)


async def test_a_file_is_heard_in_real_time_and_once(redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    write_sound(path, np.concatenate([SENTENCE, SENTENCE]), "flac", 48_000, 2)
    begun = time.monotonic()
    async with voices(redis_url, microphone=f"file:{path}") as service:
        first, second = await service.read(2)
        assert (second.heard_at - first.heard_at).total_seconds() > 2
        assert {first.camera_id, second.camera_id} == {"hall"}
        assert first.speech_s == pytest.approx(1.5, abs=0.3)
        async with asyncio.timeout(20):
            while len(await service.statuses()) < 2:
                await asyncio.sleep(0.05)
        assert await service.statuses() == [("online", "file"), ("offline", "end_of_input")]
        assert time.monotonic() - begun > 6
        assert service.counted("moodstream_microphone_works") == 0


async def test_a_file_that_cannot_be_read_is_told_and_tried_again(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "RETRY_S", 0.1)
    path = tmp_path / "a.wav"
    async with voices(redis_url, SoundFile(path)) as service:
        await asyncio.sleep(0.5)
        assert await service.statuses() == [("offline", "not_opened")]
        write_sound(tmp_path / "b.wav", SENTENCE)
        (tmp_path / "b.wav").rename(path)
        assert len(await service.read(1)) == 1


async def test_a_device_is_heard(redis_url: str) -> None:
    library = SimulatedPortAudio(SENTENCE)
    async with voices(redis_url, Device("Simulated", library)) as service:
        events = await service.read(2)
        assert all(event.speech_s == pytest.approx(1.5, abs=0.4) for event in events)
        assert await service.statuses() == [("online", "live")]
        assert service.counted("moodstream_microphone_works") == 1
    assert (library.opened, library.closed) == (1, 1)


async def test_a_device_that_is_away_or_busy_is_tried_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "RETRY_S", 0.1)
    library = SimulatedPortAudio(SENTENCE)
    library.refuses = "Device unavailable [PaErrorCode -9985]"
    async with voices(redis_url, Device(None, library)) as service:
        await asyncio.sleep(0.6)
        assert await service.statuses() == [("offline", "not_opened")]
        library.refuses = None
        assert len(await service.read(1)) == 1
        assert library.listed > 2, "one that was plugged in since is found only where the list is made anew"
    assert "Traceback" not in capfd.readouterr().err


async def test_no_device_of_that_name_is_one_line(redis_url: str) -> None:
    source = Device("another", SimulatedPortAudio(SENTENCE))
    async with voices(redis_url, source) as service:
        async with asyncio.timeout(10):
            while not await service.statuses():
                await asyncio.sleep(0.02)
        assert await service.statuses() == [("offline", "not_opened")]


async def test_a_device_that_was_pulled_out_is_opened_anew(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "SILENT_FOR_S", 0.6)
    monkeypatch.setattr(job, "RETRY_S", 0.1)
    library = SimulatedPortAudio(SENTENCE)
    async with voices(redis_url, Device(None, library)) as service:
        await service.read(1)
        library.gives = False
        async with asyncio.timeout(10):
            while library.opened < 2:
                await asyncio.sleep(0.02)
        library.gives = True
        seen = len(await service.events(VoiceRead))
        await service.read(seen + 1)
        assert ("offline", "lost") in await service.statuses()


async def test_the_microphone_rests_with_the_camera_of_its_place(redis_url: str) -> None:
    library = SimulatedPortAudio(SENTENCE)
    async with voices(redis_url, Device(None, library)) as service:
        await service.read(1)
        for camera_id, seconds in (("another", 60.0), ("hall", 60.0)):
            await service.bus.publish(PauseCamera(camera_id=camera_id, seconds=seconds, reason="closed").made())
        async with asyncio.timeout(10):
            while not library.closed:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.6)
        assert (await service.statuses())[-1] == ("offline", "closed")
        seen = len(await service.events(VoiceRead))
        await asyncio.sleep(3)
        assert len(await service.events(VoiceRead)) == seen
        await service.bus.publish(PauseCamera(camera_id="hall", seconds=0).made())
        await service.read(seen + 1)
        assert library.opened == 2


def test_without_the_library_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MoodstreamError, match=r"pip install 'moodstream\[microphone\]'"):
        create_source("device")


def test_without_portaudio_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(MoodstreamError, match="libportaudio2"):
        load_sounddevice()
