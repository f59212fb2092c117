"""What rooms, microphones and networks do to a voice: speed, echo, noise, clipping, narrow bands."""

import numpy as np

from services.voice.log_mel import RATE, Floats
from services.voice.speeds import at_speed

Generator = np.random.Generator


def worn(sound: Floats, voices: list[Floats], draw: Generator) -> Floats:
    """The sound float32[n] as another microphone in another room might have heard it; ``voices`` are babble.

    Each change comes with a chance of its own, so some sounds stay nearly as they are.
    """
    if draw.random() < 0.5:
        sound = at_speed(sound, draw.uniform(0.9, 1.1))
    if draw.random() < 0.5:
        sound = echo(sound, draw.uniform(0.1, 0.6), draw.uniform(0.05, 0.6), draw)
    if draw.random() < 0.6:
        sound = noisy(sound, draw.uniform(5, 30), voices, draw)
    if draw.random() < 0.4:
        sound = band(sound, draw.uniform(40, 300), draw.choice([3_400, 4_000, 5_500, 7_000]))
    if draw.random() < 0.1:
        limit = np.abs(sound).max() * draw.uniform(0.3, 0.8)
        sound = sound.clip(-limit, limit)
    return np.asarray(sound, np.float32)


def echo(sound: Floats, decay_s: float, share: float, draw: Generator) -> Floats:
    """With a reverberation that falls by 60 dB in ``decay_s``; its energy is ``share`` of the direct sound's."""
    times = np.arange(int(decay_s * RATE)) / RATE
    tail = draw.normal(size=len(times)) * 10 ** (-3 * times / decay_s)
    tail[: RATE // 500] = 0  # nothing comes back within 2 ms
    tail *= np.sqrt(share / (np.square(tail).sum() + 1e-9))
    tail[0] = 1
    length = len(sound) + len(tail) - 1
    both = np.fft.rfft(sound, length) * np.fft.rfft(tail, length)
    return np.fft.irfft(both, length)[: len(sound)].astype(np.float32)


def noisy(sound: Floats, snr_db: float, voices: list[Floats], draw: Generator) -> Floats:
    """With white, pink or brown noise, mains hum, or three other people's voices."""
    kind = draw.integers(5)
    if kind == 0:
        noise = sum(np.resize(voices[at], len(sound)) for at in draw.integers(len(voices), size=3))
    elif kind == 1:
        times = np.arange(len(sound)) / RATE
        noise = sum(np.sin(2 * np.pi * 50 * k * times + draw.uniform(0, 6)) / k for k in range(1, 8))
    else:
        spectrum = np.fft.rfft(draw.normal(size=len(sound)))
        noise = np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** ((kind - 2) / 2), len(sound))
    level = np.sqrt(np.mean(np.square(sound)) / (np.mean(np.square(noise)) + 1e-12) / 10 ** (snr_db / 10))
    return np.asarray(sound + level * noise, np.float32)


def band(sound: Floats, low_hz: float, high_hz: float) -> Floats:
    """Without what a small microphone or a telephone leaves out."""
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = 1 / np.sqrt(1 + (low_hz / np.maximum(hz, 1)) ** 4) / np.sqrt(1 + (hz / high_hz) ** 12)
    return np.fft.irfft(np.fft.rfft(sound) * gain, len(sound)).astype(np.float32)
