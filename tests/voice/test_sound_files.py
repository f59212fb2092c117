"""Any file becomes 16 kHz mono in blocks, or one clear line; memory does not grow with it."""

import tracemalloc
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from moodstream.errors import MoodstreamError
from services.voice.log_mel import RATE, Floats
from services.voice.sound_files import BLOCK, read_blocks
from tests.support.voices import babble, tone, write_sound


def whole(path: Path) -> Floats:
    return np.concatenate(list(read_blocks(path)))


KINDS = {
    "8-bit.wav": ("pcm_u8", 16_000, 1),
    "16-bit.wav": ("pcm_s16le", 44_100, 2),
    "24-bit.wav": ("pcm_s24le", 48_000, 2),
    "32-bit.wav": ("pcm_s32le", 96_000, 1),
    "float.wav": ("pcm_f32le", 96_000, 2),
    "double.wav": ("pcm_f64le", 8_000, 1),
    "a.flac": ("flac", 96_000, 2),
    "a.ogg": ("libopus", 48_000, 1),
    "a.opus": ("libopus", 48_000, 2),
    "six channels.wav": ("pcm_s16le", 48_000, 6),
    "colon: name.wav": ("pcm_s16le", 16_000, 1),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_gives_the_same_sound(tmp_path: Path, name: str) -> None:
    codec, rate, channels = KINDS[name]
    path = tmp_path / name
    write_sound(path, tone(2.0), codec, rate, channels)
    sound = whole(path)
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(2 * RATE, abs=RATE * 0.1)
    middle = sound[RATE // 2 : RATE // 2 + RATE]
    spectrum = np.abs(np.fft.rfft(middle))
    assert spectrum.argmax() == pytest.approx(440, abs=1)
    assert np.sqrt(np.mean(np.square(middle))) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_blocks_are_a_second_and_the_last_one_what_is_left(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", tone(3.4), "pcm_s16le", RATE, 1)
    assert [len(block) for block in read_blocks(tmp_path / "a.wav")] == [BLOCK] * 3 + [int(0.4 * RATE)]


def test_what_is_too_loud_is_clipped_and_what_is_no_number_is_silence(tmp_path: Path) -> None:
    sound = tone(1.0) * 8
    sound[100:200] = np.nan
    sound[300] = np.inf
    write_sound(tmp_path / "a.wav", sound, "pcm_f32le", RATE, 1)
    read = whole(tmp_path / "a.wav")
    assert np.isfinite(read).all()
    assert np.abs(read).max() == 1
    assert (read[100:200] == 0).all()


def test_opposite_channels_cancel_and_do_not_fail(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        one = (tone(1.0) * 32_000).astype("<i2")
        file.writeframes(np.column_stack([one, -one]).tobytes())
    assert np.abs(whole(tmp_path / "a.wav")).max() < 1e-4


def test_a_file_that_is_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    for name, codec in (("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.ogg", "libopus")):
        path = tmp_path / name
        write_sound(path, babble(4.0), codec, 48_000 if codec == "libopus" else RATE, 1)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        assert RATE < len(whole(path)) < 3.5 * RATE, name


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(100_000))


def _text(path: Path) -> None:
    path.write_text("not at all a sound\n" * 100)


def _header_alone(path: Path) -> None:
    write_sound(path, tone(1.0), "pcm_s16le", RATE, 1)
    path.write_bytes(path.read_bytes()[:44])


def _playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:1/a.wav\n")


def _folder(path: Path) -> None:
    path.mkdir()


def _nothing(path: Path) -> None:
    """There is no such file."""


@pytest.mark.parametrize("make", [_empty, _noise, _text, _header_alone, _playlist, _folder, _nothing])
def test_what_is_no_sound_is_one_line(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.wav")
    with pytest.raises(MoodstreamError) as told:
        list(read_blocks(tmp_path / "a.wav"))
    assert "\n" not in str(told.value)
    assert str(tmp_path) not in str(told.value)


@pytest.mark.slow
def test_hours_of_sound_take_no_more_memory_than_seconds(tmp_path: Path) -> None:
    """An hour of 8-bit sound at 8 kHz, 29 MB: at 16 kHz in float32 it would be 230 MB."""
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        file.writeframes(b"\x80" * (8_000 * 3_600))
    tracemalloc.start()
    try:
        seconds = sum(len(block) for block in read_blocks(path)) / RATE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds == pytest.approx(3_600, abs=1)
    assert peak < 5_000_000
