"""Sounds that tests make: a vowel that Silero takes for speech, and files of every kind with it. Nobody's voice."""

import io
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from scipy.signal import lfilter

from services.voice.log_mel import RATE, Floats

FORMANTS = ((700, 1220, 2600), (300, 2300, 3000), (400, 800, 2600), (500, 1700, 2500))
"""Hz of a, i, u, e of a man (Peterson and Barney, 1952), roughly"""


def babble(seconds: float, pitch_hz: float = 120.0, seed: int = 1) -> Floats:
    """Vowels of 0.15 s with a moving pitch, pulses through resonances: float32[n] at ``RATE``, half of full scale."""
    draw = np.random.default_rng(seed)
    length = int(seconds * RATE)
    moving = pitch_hz * (1 + 0.15 * np.sin(2 * np.pi * 1.7 * np.arange(length) / RATE + draw.uniform(0, 6)))
    phase = np.cumsum(moving / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.01 * draw.normal(size=length)
    parts = []
    for place, start in enumerate(range(0, length, int(0.15 * RATE))):
        part = pulses[start : start + int(0.15 * RATE)]
        for hz in FORMANTS[place % len(FORMANTS)]:
            radius = np.exp(-np.pi * 90 / RATE)
            part = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], part)
        parts.append(part / (np.abs(part).max() + 1e-9) * np.hanning(len(part) + 2)[1:-1] ** 0.3)
    return np.asarray(0.5 * np.concatenate(parts), np.float32)


def tone(seconds: float, hz: float = 440.0) -> Floats:
    """float32[n] at ``RATE``, half of full scale."""
    return np.asarray(0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE), np.float32)


def wav(sound: Floats, rate: int = RATE) -> bytes:
    """The same as a file of 16 bits, mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def write_sound(path: Path, sound: Floats, codec: str = "pcm_s16le", rate: int = RATE, channels: int = 1) -> None:
    """Write mono sound at ``RATE`` to a file, the same in all channels."""
    with av.open(f"file:{path}", "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=LAYOUTS[channels])
        frame = av.AudioFrame.from_ndarray(np.tile(sound, (channels, 1)), format="fltp", layout=LAYOUTS[channels])
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        resampler = av.AudioResampler(format=stream.format, layout=LAYOUTS[channels], rate=rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
