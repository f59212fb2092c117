"""Songs as points, so that songs of one playlist lie near each other: a small model over the features.

Fitted on which songs people put into one playlist (``training/songs/similarity.py``); its card is ``models/songs.md``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from moodstream.errors import MoodstreamError

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Singles = npt.NDArray[np.float32]

MODELS = Path(__file__).parents[3] / "models"
SIMILARITY = MODELS / "song_similarity.npz"

INPUTS = (
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "duration_ms",
)
"""What the model sees of a song, in this order and in Spotify's units."""

KEY = INPUTS.index("key")
SKEWED = [INPUTS.index(name) for name in ("speechiness", "acousticness", "instrumentalness", "liveness")]
ORDERED = [column for column in range(len(INPUTS)) if column != KEY]
BATCH = 50_000


@dataclass(frozen=True, eq=False)
class Scales:
    """How features become numbers of like size: fixed, so that a song is the same point in every catalogue."""

    mean: Floats
    """[12]"""
    deviation: Floats
    """[12]"""
    knots: Floats
    """[k, 12] quantiles of each feature, rising"""
    levels: Floats
    """[k, 12] the share of songs below each of them, -1..1"""
    log_mean: Floats
    """[4] of the decimal logarithms of the skewed features"""
    log_deviation: Floats

    @classmethod
    def fit(cls, numbers: Floats, count: int = 101) -> "Scales":
        """From the numbers of many songs, [n, 12]."""
        shares = np.linspace(-1, 1, count)
        knots = np.quantile(numbers, (shares + 1) / 2, axis=0)
        levels = np.empty_like(knots)
        for column in range(knots.shape[1]):  # a value that many songs share stands in the middle of its shares
            _, inverse = np.unique(knots[:, column], return_inverse=True)
            levels[:, column] = (np.bincount(inverse, weights=shares) / np.bincount(inverse))[inverse]
        logs = _logs(numbers)
        return cls(numbers.mean(0), numbers.std(0), knots, levels, logs.mean(0), logs.std(0))

    def quantiles(self, numbers: Floats) -> Floats:
        """[n, 12] in -1..1: the share of songs that have less of each feature."""
        columns = [np.interp(numbers[:, at], self.knots[:, at], self.levels[:, at]) for at in range(numbers.shape[1])]
        return np.stack(columns, axis=1)

    def inputs(self, numbers: Floats) -> Singles:
        """float32 [n, 28]: standardised, as quantiles, logarithms of skewed ones, the key on the circle of fifths."""
        standard = ((numbers - self.mean) / self.deviation).clip(-4, 4)[:, ORDERED]
        logs = (_logs(numbers) - self.log_mean) / self.log_deviation
        # Spotify's -1 is no key: the middle of the circle.
        known = numbers[:, [KEY]] >= 0
        angle = 2 * np.pi * 7 / 12 * numbers[:, [KEY]]
        circle = np.hstack([np.cos(angle), np.sin(angle)]) * known
        return np.hstack([standard, self.quantiles(numbers)[:, ORDERED], logs, circle]).astype(np.float32)


def _logs(numbers: Floats) -> Floats:
    return np.asarray(np.log10(numbers[:, SKEWED].clip(0) + 1e-5))


@dataclass(frozen=True, eq=False)
class Embedding:
    """The model: layers of weights and biases with GELU between them."""

    scales: Scales
    layers: tuple[tuple[Singles, Singles], ...]
    typical: float
    """median squared distance of two random songs"""

    @classmethod
    def load(cls, path: Path = SIMILARITY) -> "Embedding":
        """Raises MoodstreamError when the file is missing or is no such model."""
        try:
            with np.load(path) as file:
                scales = Scales(*(file[name] for name in Scales.__dataclass_fields__))
                layers = tuple((file[f"weights{at}"], file[f"biases{at}"]) for at in range(int(file["layers"])))
                return cls(scales, layers, float(file["typical"]))
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise MoodstreamError(f"cannot use the song model {path}: {error}") from None

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {name: getattr(self.scales, name) for name in Scales.__dataclass_fields__}
        for at, (weights, biases) in enumerate(self.layers):
            arrays |= {f"weights{at}": weights, f"biases{at}": biases}
        np.savez_compressed(path, layers=len(self.layers), typical=self.typical, **arrays)

    def points(self, numbers: Floats) -> Floats:
        """float64 [n, d] for the numbers [n, 12] of songs, in the order of ``INPUTS``."""
        parts = [self._part(numbers[start : start + BATCH]) for start in range(0, len(numbers), BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.layers[-1][1])))

    def _part(self, numbers: Floats) -> Floats:
        # Some processors add up the rows of one product in different orders: in single precision, songs with the same
        # numbers would then be different points. In double precision the difference is far below what is rounded off.
        values = self.scales.inputs(numbers).astype(np.float64)
        for weights, biases in self.layers[:-1]:
            values = gelu(values @ weights + biases)
        weights, biases = self.layers[-1]
        return np.round(values @ weights + biases, 9)


def gelu(values: Floats) -> Floats:
    """In the approximation with tanh: D. Hendrycks and K. Gimpel, arXiv 1606.08415."""
    inner = 0.7978845608 * (values + 0.044715 * values * values * values)
    return np.asarray(0.5 * values * (1 + np.tanh(inner)))
