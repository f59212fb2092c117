"""Sentences from ``espeak-ng``: voices that nobody has, for what needs words."""

import shutil
import subprocess

import numpy as np

from services.voice.log_mel import RATE, Floats
from services.voice.sound_files import read_body
from tests.support.needs import missing

VOICES = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us+f2", "en-gb+f3", "en-us+m3", "en-gb-x-rp+f4")
ROOM_S = 0.6
"""before and after"""


def speak(text: str, voice: str = "en-us", words_per_min: int = 150, snr_db: float = 40.0, seed: int = 1) -> Floats:
    """A sentence in a room with a noise of equal power an octave, mono float32[n] at ``RATE``."""
    program = shutil.which("espeak-ng")
    if program is None:
        missing("espeak-ng")
    command = [program, "-v", voice, "-s", str(words_per_min), "--stdout", text]
    said = read_body(subprocess.run(command, check=True, capture_output=True).stdout, 60.0)
    room = np.zeros(int(ROOM_S * RATE), np.float32)
    sound = np.concatenate([room, 0.5 * said, room])
    level = np.sqrt(np.mean(np.square(sound[np.abs(sound) > 0.02])))
    noise = _pink(len(sound), np.random.default_rng(seed))
    return np.asarray(sound + level * 10 ** (-snr_db / 20) * noise, np.float32)


def _pink(samples: int, random: np.random.Generator) -> Floats:
    spectrum = np.fft.rfft(random.normal(size=samples))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), samples)
    return np.asarray(noise / noise.std(), np.float32)
