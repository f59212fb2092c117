"""What a network that was taught to tag music hears in it: musicnn, written out with NumPy.

J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging" (2019): filters that
look for timbres (low and wide over the bands) and for rhythms (long and thin over time), three layers on top of them,
and 50 of Last.fm's tags at the end. The tags are not used: the layers before them are what ``models/ears.py`` is fitted
on. The weights were fitted by its authors on the Million Song Dataset; set-up fetches them, and no file here has them.
"""

from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.spectra import mel_filters
from services.recommender.models.vectors import Singles
from shared.packaged_data import DataFile

TAGGER = DataFile(
    what="the network that hears music",
    package="musicnn",
    version="0.1.0",
    licence="ISC",
    wheel_sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    path=PurePosixPath("MSD_musicnn/.data-00000-of-00001"),
    sha256="8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
    name="musicnn.bin",
)

RATE, FROM_RATE = 16_000, 22_050
WINDOW, HOP, BANDS = 512, 256, 96
FRAMES = 187
"""Three seconds: what the network was taught with."""
LISTENS = 4
"""So many times in a stretch, evenly spread."""
TINY = 1e-3
"""Added to variances."""

FILTERS = ((7, 38, 204), (7, 67, 204), (128, 1, 51), (64, 1, 51), (32, 1, 51), (7, 561, 64), (7, 64, 64), (7, 64, 64))
"""Frames, bands (or what lies below) and outputs of each convolution; five look at the sound, three at what these
found."""
SEEN, HIDDEN = 753, 200
"""Numbers a frame in all layers together; outputs of the dense layer above their largest and mean values."""
NORMED = (1, *(outputs for *_, outputs in FILTERS), 2 * SEEN, HIDDEN)
"""Inputs of each normalisation: of the sound, after each convolution, before and after the dense layer."""
TAGGED = HIDDEN + SEEN
"""Numbers that are told of a stretch."""


@dataclass(frozen=True, eq=False)
class Norm:
    """By batch, folded into one line."""

    scale: Singles
    shift: Singles

    def __call__(self, values: Singles) -> Singles:
        return values * self.scale + self.shift


@dataclass(frozen=True, eq=False)
class Layer:
    """Weights, rectifier, normalisation."""

    weights: Singles
    """[frames, inputs, outputs] of a convolution, [inputs, outputs] of the dense layer"""
    biases: Singles
    norm: Norm

    def over_bands(self, sound: Singles) -> Singles:
        """[t, outputs] the largest answer among all bands; sound [t, bands]."""
        frames, bands, outputs = self.weights.shape
        padded = np.pad(sound, (((frames - 1) // 2, frames // 2), (0, 0)))
        seen = sliding_window_view(padded, (frames, bands)).reshape(len(sound), -1, frames * bands)
        answers = np.maximum(seen @ self.weights.reshape(-1, outputs) + self.biases, 0)
        # A negative scale turns the order of values round.
        return self.norm(np.where(self.norm.scale > 0, answers.max(axis=1), answers.min(axis=1)))

    def over_time(self, found: Singles) -> Singles:
        """[t, outputs]; found [t, inputs]."""
        frames, inputs, outputs = self.weights.shape
        padded = np.pad(found, ((frames // 2, frames // 2), (0, 0)))
        seen = sliding_window_view(padded, (frames, inputs)).reshape(len(found), -1)
        return self.dense(seen, self.weights.reshape(-1, outputs))

    def dense(self, values: Singles, weights: Singles) -> Singles:
        return self.norm(np.maximum(values @ weights + self.biases, 0))


@dataclass(frozen=True, eq=False)
class Tagger:
    sound: Norm
    front: tuple[Layer, ...]
    middle: tuple[Layer, ...]
    pooled: Norm
    top: Layer

    @staticmethod
    def load() -> "Tagger":
        """Raises MoodstreamError when set-up has not fetched the weights, or when they are not those any more."""
        file = TAGGER.find()
        if file is None:
            raise MoodstreamError(f"{TAGGER.what} is not installed (`moodstream setup` fetches it)")
        return _built(_read(file))

    def features(self, sound: Singles) -> Singles:
        """[TAGGED] of mono sound at ``FROM_RATE``, at least three seconds of it: the mean of ``LISTENS``."""
        frames = log_mel(sound)
        frames = np.pad(frames, ((0, max(0, FRAMES - len(frames))), (0, 0)))
        starts = np.linspace(0, len(frames) - FRAMES, LISTENS).round().astype(int)
        heard = np.array([self.hear(frames[start : start + FRAMES]) for start in np.unique(starts)])
        return np.asarray(heard.mean(axis=0))

    def hear(self, frames: Singles) -> Singles:
        """[HIDDEN + SEEN] of three seconds, [FRAMES, BANDS]: the dense layer, and the means of all layers below it."""
        sound = self.sound(frames)
        found = np.concatenate([layer.over_bands(sound) for layer in self.front], axis=1)
        layers = [found]
        above = self.middle[0].over_time(found)
        for layer in self.middle[1:]:
            layers.append(above)
            above = above + layer.over_time(above)
        everything = np.concatenate([*layers, above], axis=1)
        largest, mean = everything.max(axis=0), everything.mean(axis=0)
        pooled = self.pooled(np.stack([largest, mean], axis=1).ravel())
        return np.concatenate([self.top.dense(pooled, self.top.weights), mean])


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MoodstreamError(f"{TAGGER.what} cannot be read: {path} ({error.strerror})") from None
    if not TAGGER.is_right(data):
        raise MoodstreamError(f"{TAGGER.what} was cut or changed since it was fetched: {path}")
    return data


class _Variables:
    """The file from front to back: all variables in the order of their names, and behind each one that was taught the
    two moments that its teacher kept of it."""

    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    def plain(self, *shape: int) -> Singles:
        size = 4 * prod(shape)
        found = np.frombuffer(self._left[:size], "<f4").reshape(shape)
        self._left = self._left[size:]
        return found

    def taught(self, *shape: int) -> Singles:
        found = self.plain(*shape)
        self._left = self._left[2 * found.nbytes :]
        return found


def _built(data: bytes) -> "Tagger":
    """From the bytes of the file."""
    variables = _Variables(data)
    norms = {}
    for number in sorted(range(len(NORMED)), key=str):
        size = NORMED[number]
        shift, scale, mean, variance = *(variables.taught(size) for _ in "ab"), *(variables.plain(size) for _ in "ab")
        scale = scale / np.sqrt(variance + TINY)
        norms[number] = Norm(scale, shift - mean * scale)
    variables.plain(2)  # how far the teacher had come
    biased = [(variables.taught(shape[-1]), variables.taught(*shape)) for shape in (*FILTERS, (2 * SEEN, HIDDEN))]
    layers = [Layer(weights, biases, norms[1 + number]) for number, (biases, weights) in enumerate(biased[:-1])]
    biases, weights = biased[-1]
    return Tagger(norms[0], tuple(layers[:5]), tuple(layers[5:]), norms[9], Layer(weights, biases, norms[10]))


def log_mel(sound: Singles) -> Singles:
    """[t, BANDS] as the network was taught: 32 ms of sound each 16 ms; sound at ``FROM_RATE``."""
    from scipy.fft import rfft
    from scipy.signal import resample_poly

    padded = np.pad(resample_poly(sound, 320, 441).astype(np.float32), WINDOW // 2)
    frames = sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(rfft(frames * np.hanning(WINDOW + 1)[:-1].astype(np.float32), axis=1)) ** 2
    return np.asarray(np.log10(10_000 * (power @ _bands()) + 1), np.float32)


@cache
def _bands() -> Singles:
    """[WINDOW / 2 + 1, BANDS]"""
    return np.ascontiguousarray(mel_filters(RATE, WINDOW, BANDS, 0, RATE / 2).T)
