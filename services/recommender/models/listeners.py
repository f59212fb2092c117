"""The mood of a song as listeners name it: multinomial logistic regression over features and genre.

Fitted on listeners' labels (``training/song_moods.py``); only the coefficients ship. Its card is ``models/songs.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from moodstream.errors import MoodstreamError
from services.recommender.models.vectors import INPUTS, KEY, MODELS, Floats, Scales

LISTENERS = MODELS / "song_moods.npz"

MODE = INPUTS.index("mode")
GENRE_ALIASES = {
    "hip hop": "hip-hop",
    "rnb": "r&b",
    "trap": "rap",
    "house": "edm",
    "electronic": "edm",
    "techno": "edm",
}
"""Other words for genres that the model knows."""


def family(genre: str, known: Sequence[str]) -> int | None:
    """Which of the known genres a genre belongs to: the longest whose name it holds; None for none."""
    text = genre.casefold()
    for word, name in GENRE_ALIASES.items():
        text = text.replace(word, name)
    held = [index for index, name in enumerate(known) if name in text]
    return max(held, key=lambda index: len(known[index])) if held else None


@dataclass(frozen=True, eq=False)
class ListenersModel:
    """Memberships in the four moods; a genre that it does not know counts as an average one."""

    scales: Scales
    genres: tuple[str, ...]
    shares: Floats
    """[g] of each genre among the songs it was fitted on"""
    weights: Floats
    """[11 + 1 + g, 4]"""
    biases: Floats
    """[4]"""

    @classmethod
    def load(cls, path: Path = LISTENERS) -> "ListenersModel":
        """Raises MoodstreamError when the file is missing or is no such model."""
        try:
            with np.load(path) as file:
                scales = Scales(*(file[name] for name in Scales.__dataclass_fields__))
                return cls(scales, tuple(file["genres"].tolist()), file["shares"], file["weights"], file["biases"])
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise MoodstreamError(f"cannot use the song model {path}: {error}") from None

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {name: getattr(self.scales, name) for name in Scales.__dataclass_fields__}
        arrays |= {name: np.asarray(getattr(self, name)) for name in ("genres", "shares", "weights", "biases")}
        np.savez_compressed(path, **arrays)

    def memberships(self, numbers: Floats, genres: Sequence[str]) -> Floats:
        """float64 [n, 4] in the order of ``MOODS``, rows sum to 1; numbers [n, 12] in the order of ``INPUTS``."""
        return softmax(inputs(self.scales, numbers, genres, self.genres, self.shares) @ self.weights + self.biases)


def inputs(scales: Scales, numbers: Floats, genres: Sequence[str], known: Sequence[str], shares: Floats) -> Floats:
    """[n, 11 + 1 + g]: features as quantiles but for the key, major or minor, the genre's family."""
    ordered = [column for column in range(len(INPUTS)) if column not in (KEY, MODE)]
    table = {genre: _row(family(genre, known), shares) for genre in set(genres)}
    rows = np.array([table[genre] for genre in genres]).reshape(len(numbers), len(shares))
    return np.hstack([scales.quantiles(numbers)[:, ordered], numbers[:, [MODE]], rows])


def _row(genre: int | None, shares: Floats) -> Floats:
    return shares if genre is None else np.eye(len(shares))[genre]


def softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
