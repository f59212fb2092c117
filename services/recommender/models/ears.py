"""The mood of music by its sound, and Spotify's energy, valence and danceability: what a small model hears in it.

Fitted by ``training/music_ears.py``; only fitted numbers ship, in a file of its own that may be removed: then ``songs scan``
uses plain formulas and says so. Its card is ``models/music_ears.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.recommender.models.vectors import MODELS, Floats

EARS = MODELS / "music_ears.npz"

ESTIMATED = ("energy", "valence", "danceability")
"""Features of Spotify's that the model estimates, 0..1."""

CLIP = 4.0
"""Standard deviations: what lies further away than anything it was fitted on counts as the edge of it."""


@dataclass(frozen=True, eq=False)
class Ears:
    """A network of one hidden layer over features of ``catalogue/sound_features.py``."""

    version: str
    means: Floats
    """[f] of each feature"""
    spreads: Floats
    """[f]"""
    first: Floats
    """[f, h]"""
    first_biases: Floats
    """[h]"""
    second: Floats
    """[h, 4] to the moods' logits"""
    second_biases: Floats
    """[4]"""
    estimates: Floats
    """[f, 3] to ``ESTIMATED``"""
    estimate_biases: Floats
    """[3]"""

    @classmethod
    def load(cls, path: Path = EARS) -> "Ears":
        """Raises MoodstreamError when the file is missing or is no such model."""
        try:
            with np.load(path) as file:
                arrays = {one.name: file[one.name] for one in fields(cls)}
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise MoodstreamError(f"cannot use the model that hears moods, {path}: {error}") from None
        version = str(arrays.pop("version"))
        return cls(version, **{name: array.astype(np.float64) for name, array in arrays.items()})

    def save(self, path: Path) -> None:
        """In half precision: the file is half as large, and the moods stay the same."""
        arrays = {one.name: np.asarray(getattr(self, one.name)) for one in fields(self) if one.name != "version"}
        halves = {name: array.astype(np.float32 if array.ndim == 1 else np.float16) for name, array in arrays.items()}
        np.savez_compressed(path, version=np.array(self.version), **halves)  # type: ignore[arg-type]

    def memberships(self, features: Floats) -> Floats:
        """[n, 4] in the order of ``MOODS``, rows sum to 1; features [n, f], one row a stretch of music."""
        hidden = np.maximum(self._standard(features) @ self.first + self.first_biases, 0)
        scores = hidden @ self.second + self.second_biases
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def listen(self, features: Floats) -> Mapping[str, float]:
        """A song of one or several stretches: ``heard_MOOD`` for each mood, and ``ESTIMATED``; the mean of its stretches."""
        memberships = self.memberships(features).mean(axis=0)
        estimates = (self._standard(features) @ self.estimates + self.estimate_biases).mean(axis=0).clip(0, 1)
        heard = {f"heard_{mood}": round(float(share), 5) for mood, share in zip(MOODS, memberships, strict=True)}
        return heard | {name: round(float(value), 4) for name, value in zip(ESTIMATED, estimates, strict=True)}

    def _standard(self, features: Floats) -> Floats:
        return np.clip((features - self.means) / self.spreads, -CLIP, CLIP)
