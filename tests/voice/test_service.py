"""The voice service on a real server: sounds become readings, whatever is sent, and nothing of a sound stays."""

import asyncio
import logging
import struct
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from moodstream.contracts.events import VoiceRead, utc_now
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError, SettingError
from services.voice.handlers import MAX_AGE_S
from services.voice.log_mel import RATE, Floats
from services.voice.main import VoiceSettings, create_service
from services.voice.own_voices import FORGOTTEN_AFTER_S, MAX_PLACES, OwnVoices
from services.voice.sound_files import SoundRefused, read_body
from shared.app.service import create_bus
from shared.app.work_thread import WorkThread
from shared.exit_codes import EXIT_RESTART
from shared.settings import load
from tests.support.recommenders import mood_changed
from tests.support.voice.services import Voices, voices
from tests.support.voices import babble, tone, wav, write_sound

PAUSE = np.zeros(RATE // 2, np.float32)
SENTENCE = np.concatenate([PAUSE, babble(2.0), PAUSE])
READ = 'moodstream_sounds_read_total{outcome="%s"}'
REFUSED = 'moodstream_sounds_refused_total{kind="%s"}'


@pytest.fixture
async def service(redis_url: str) -> AsyncIterator[Voices]:
    async with voices(redis_url) as running:
        yield running


async def test_speech_becomes_a_reading_and_the_sound_is_gone(service: Voices) -> None:
    at = utc_now()
    await service.say(wav(SENTENCE), "hall", at)
    [event] = await service.read(1)
    assert (event.camera_id, event.heard_at) == ("hall", at)
    assert event.speech_s == pytest.approx(2.0, abs=0.3)
    assert event.arousal is not None
    assert (event.snr_db or 0) > 30
    assert event.model.startswith("voice")
    assert not await service.bus.redis.keys("*sounds:dead")
    assert await service.bus.frames.xlen(service.bus.key("sounds")) == 0
    assert service.counted("moodstream_speech_seconds_total") == event.speech_s


def as_file(tmp_path: Path, sound: Floats, codec: str, rate: int, channels: int, suffix: str = "wav") -> bytes:
    path = tmp_path / f"a.{suffix}"
    write_sound(path, sound, codec, rate, channels)
    return path.read_bytes()


async def test_every_kind_of_sound_is_read(service: Voices, tmp_path: Path) -> None:
    kinds = [
        ("pcm_u8", 16_000, 1, "wav"),
        ("pcm_s16le", 8_000, 1, "wav"),
        ("pcm_s24le", 48_000, 2, "wav"),
        ("pcm_f32le", 96_000, 1, "wav"),
        ("flac", 96_000, 2, "flac"),
        ("libopus", 48_000, 1, "ogg"),
    ]
    for number, (codec, rate, channels, suffix) in enumerate(kinds, 1):
        await service.say(as_file(tmp_path, SENTENCE, codec, rate, channels, suffix))
        found = await service.read(number)
        assert found[-1].speech_s == pytest.approx(2.0, abs=0.4), (codec, rate)
    await service.say(wav((SENTENCE * 20).clip(-1, 1)))
    assert (await service.read(len(kinds) + 1))[-1].speech_s > 1


async def test_what_is_no_speech_is_counted_and_told_to_nobody(service: Voices) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    for sound in (np.zeros(RATE, np.float32), noise, tone(1.0), babble(0.1)):
        await service.say(wav(sound))
    await service.counts(READ % "no_speech", 4)
    assert await service.events(VoiceRead) == []


LONG = bytearray(wav(SENTENCE))
LONG[40:44] = struct.pack("<I", 24 * 3600 * 2 * RATE)
LONG[4:8] = struct.pack("<I", 24 * 3600 * 2 * RATE + 36)
SLOW = bytearray(wav(SENTENCE))
SLOW[24:28] = struct.pack("<I", 1)
NO_RATE = bytearray(wav(SENTENCE))
NO_RATE[24:28] = bytes(4)
NO_CHANNELS = bytearray(wav(SENTENCE))
NO_CHANNELS[22:24] = bytes(2)

BAD = {
    "nothing": (b"", "no_sound"),
    "text": (b"angry, but only in words", "no_sound"),
    "a playlist": (b"#EXTM3U\nfile:///etc/passwd\n", "no_sound"),
    "text after the first bytes of a WAV": (b"RIFF\x40\x00\x00\x00WAVE" + b"text, not sound " * 9, "damaged"),
    "text after the first bytes of a FLAC": (b"fLaC" + b"text, not sound " * 9, "damaged"),
    "text after the first bytes of an Ogg": (b"OggS" + b"text, not sound " * 9, "damaged"),
    "a header alone": (wav(np.zeros(0, np.float32)), "empty"),
    "a part of a header": (wav(SENTENCE)[:20], "damaged"),
    "one sample a second": (bytes(SLOW), "damaged"),
    "no rate": (bytes(NO_RATE), "damaged"),
    "no channels": (bytes(NO_CHANNELS), "empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_sound_is_refused_with_its_kind(name: str) -> None:
    body, kind = BAD[name]
    with pytest.raises(SoundRefused) as refused:
        read_body(body, 10)
    assert refused.value.kind == kind
    assert "\n" not in str(refused.value)


async def test_bad_sounds_are_counted_and_the_next_is_read(service: Voices, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for body, _ in BAD.values():
        await service.say(body)
    await service.say(wav(SENTENCE))
    assert len(await service.read(1)) == 1
    for kind in ("no_sound", "damaged", "empty"):
        expected = sum(one == kind for _, one in BAD.values())
        assert service.counted(REFUSED % kind) == expected
    assert "text, not" not in caplog.text


async def test_an_entry_that_is_none_is_left_out(service: Voices) -> None:
    await service.bus.frames.xadd(service.bus.key("sounds"), {"__data__": b"{}"})
    await service.say(wav(SENTENCE))
    assert len(await service.read(1)) == 1


def test_a_header_that_claims_a_day_is_read_up_to_its_end() -> None:
    assert len(read_body(bytes(LONG), 10)) == len(SENTENCE)


def test_what_is_cut_off_is_read_up_to_there() -> None:
    assert len(read_body(wav(SENTENCE)[: len(SENTENCE)], 10)) == pytest.approx(len(SENTENCE) / 2, abs=100)


def test_of_a_long_sound_the_beginning_is_heard(tmp_path: Path) -> None:
    flac = as_file(tmp_path, np.zeros(600 * RATE, np.float32), "flac", RATE, 1, "flac")
    assert len(flac) < 1_000_000
    assert len(read_body(flac, 10)) == 10 * RATE


async def test_what_was_said_too_long_ago_is_not_read(service: Voices) -> None:
    await service.say(wav(SENTENCE), captured_at=utc_now() - timedelta(seconds=MAX_AGE_S + 1))
    await service.counts("moodstream_sounds_too_old_total", 1)
    assert await service.events(VoiceRead) == []


async def test_on_a_slow_line_what_was_said_is_older_and_read_all_the_same(service: Voices) -> None:
    for _ in range(3):
        service.bus.line.note("elsewhere", 0.7)
    await service.say(wav(SENTENCE), captured_at=utc_now() - timedelta(seconds=MAX_AGE_S + 1))
    await service.read(1)


async def test_a_voice_is_read_against_what_the_visitor_said_and_forgotten_with_the_visit(service: Voices) -> None:
    quiet = wav(SENTENCE * np.float32(0.1))
    loud = wav(np.concatenate([PAUSE, babble(2.0, 190.0, seed=4), PAUSE]))
    await service.say(loud)
    await service.say(quiet)
    await service.say(quiet, "elsewhere")
    first, against, alone = await service.read(3)
    assert (against.arousal, against.probabilities) != (alone.arousal, alone.probabilities)
    await service.bus.publish(mood_changed(Mood.NOBODY, "s", camera_id="hall", phase="end"))
    await asyncio.sleep(0.5)
    await service.say(loud)
    assert (await service.read(4))[-1].arousal == first.arousal


def test_own_voices_are_few_and_not_old() -> None:
    now = [0.0]
    known = OwnVoices(lambda: now[0])
    first = known.of("hall")
    assert known.of("hall") is first
    now[0] = FORGOTTEN_AFTER_S + 1
    assert known.of("hall") is not first
    for number in range(2 * MAX_PLACES):
        known.of(f"hand-{number}")
    assert len(known) == MAX_PLACES
    now[0] += FORGOTTEN_AFTER_S + 1
    known.forget_old()
    assert len(known) == 0


async def test_work_that_hangs_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.app.work_thread.STUCK_AFTER_S", 0.1)
    ended: list[int] = []
    never = threading.Event()
    assert await WorkThread("test", ended.append).run("reading", never.wait) is None
    never.set()
    assert ended == [EXIT_RESTART]


def test_a_service_that_nobody_wants_does_not_start(redis_url: str) -> None:
    settings = load(VoiceSettings, redis_url=redis_url)
    with pytest.raises(SettingError, match="MOODSTREAM_VOICE"):
        create_service(settings, create_bus(settings))


def test_a_model_that_is_missing_is_named(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.voice.main.VOICE_MODELS", {"free": tmp_path / "gone.onnx"})
    settings = load(VoiceSettings, redis_url=redis_url, voice="free")
    with pytest.raises(MoodstreamError, match=r"gone\.onnx"):
        create_service(settings, create_bus(settings))
