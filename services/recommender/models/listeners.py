"""The mood of a song as listeners name it: three small logistic regressions that follow each other.

Is it lively? If so, is it pleasant (happy) or not (angry)? If not, is it pleasant (calm) or not (sad)? So arousal can
only rise with energy and loudness, and valence with valence, as ``training/songs/moods.py`` fits them under that
condition. Only numbers ship; the card is ``models/songs.md``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from moodstream.errors import MoodstreamError
from services.recommender.models.vectors import INPUTS, KEY, MODELS, Floats, Scales

LISTENERS = MODELS / "song_moods.npz"

MODE = INPUTS.index("mode")
ENERGY = INPUTS.index("energy")
ORDERED = tuple(name for name in INPUTS if name not in ("key", "mode"))
"""Features that are compared by how many songs have less of them."""

QUESTIONS = ("lively", "pleasant if lively", "pleasant if quiet")
LIVELY, PLEASANT_IF_LIVELY, PLEASANT_IF_QUIET = range(len(QUESTIONS))

GENRE_ALIASES = {
    "hip hop": "hip-hop",
    "rnb": "r&b",
    "trap": "rap",
    "house": "edm",
    "electronic": "edm",
    "techno": "edm",
    "dubstep": "edm",
    "punk": "rock",
    "grunge": "rock",
}
"""Other words for genres that the model knows."""

_SUBTITLE = re.compile(r"(?<=\S)\s*[(\[]|\s[-–]\s")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def family(genre: str, known: Sequence[str]) -> int | None:
    """Which of the known genres a genre belongs to: the longest whose name it holds; None for none."""
    text = genre.casefold()
    for word, name in GENRE_ALIASES.items():
        text = text.replace(word, name)
    held = [index for index, name in enumerate(known) if name in text]
    return max(held, key=lambda index: len(known[index])) if held else None


def title_words(title: str) -> frozenset[str]:
    """The words of a title without what follows it: versions, guests, remasters."""
    return frozenset(word.replace("’", "'") for word in _WORD.findall(_SUBTITLE.split(title, 1)[0].casefold()))


def first_artist(artists: str) -> str:
    """The name by which artists are known here; ``artists`` as a catalogue writes them, separated by semicolons."""
    return artists.partition(";")[0].strip().casefold()


@dataclass(frozen=True, eq=False)
class ListenersModel:
    """Memberships in the four moods."""

    scales: Scales
    genres: tuple[str, ...]
    weights: Floats
    """[10 + 1 + g + 1, 3] for each question"""
    biases: Floats
    """[3]"""
    limits: Floats
    """[3, 2] from which energy on, and how steeply, the answer to each question changes beyond the regression"""
    artists: Mapping[str, Floats]
    """[3] what the sound of an artist's songs in public tables adds to each question; no listener's label is in it"""
    words: Mapping[str, Floats]
    """[3] what a word of the title adds"""

    @classmethod
    def load(cls, path: Path = LISTENERS) -> "ListenersModel":
        """Raises MoodstreamError when the file is missing or is no such model."""
        try:
            with np.load(path) as file:
                scales = Scales(*(file[name] for name in Scales.__dataclass_fields__))
                tables = (_table(file[name], file[f"{name}_adds"]) for name in ("artists", "words"))
                genres = tuple(file["genres"].tolist())
                return cls(scales, genres, file["weights"], file["biases"], file["limits"], *tables)
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise MoodstreamError(f"cannot use the song model {path}: {error}") from None

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {name: getattr(self.scales, name) for name in Scales.__dataclass_fields__}
        arrays |= {name: np.asarray(getattr(self, name)) for name in ("genres", "weights", "biases", "limits")}
        for name in ("artists", "words"):
            table: Mapping[str, Floats] = getattr(self, name)
            arrays |= {name: "\n".join(table), f"{name}_adds": np.array([*table.values()]).reshape(-1, len(QUESTIONS))}
        np.savez_compressed(path, **arrays)

    def memberships(
        self, numbers: Floats, genres: Sequence[str], artists: Sequence[str], titles: Sequence[str]
    ) -> Floats:
        """float64 [n, 4] in the order of ``MOODS``, rows sum to 1; numbers [n, 12] in the order of ``INPUTS``."""
        return combine(self.scores(numbers, genres, artists, titles) + bend(self.limits, numbers))

    def scores(self, numbers: Floats, genres: Sequence[str], artists: Sequence[str], titles: Sequence[str]) -> Floats:
        """[n, 3] answers to the questions as logarithms of odds, before what the limits change."""
        scores = inputs(self.scales, numbers, genres, self.genres) @ self.weights + self.biases
        return np.asarray(scores + self._named(artists, titles))

    def _named(self, artists: Sequence[str], titles: Sequence[str]) -> Floats:
        """[n, 3] what the names of songs add."""
        nothing = np.zeros(len(QUESTIONS))
        rows = np.array([self.artists.get(first_artist(artist), nothing) for artist in artists])
        rows = rows.reshape(len(artists), len(QUESTIONS))
        for row, title in enumerate(titles):
            for word in title_words(title) & self.words.keys():
                rows[row] += self.words[word]
        return rows


def inputs(scales: Scales, numbers: Floats, genres: Sequence[str], known: Sequence[str]) -> Floats:
    """[n, 10 + 1 + g + 1]: features as quantiles but for the key, major or minor, the genre's family or none."""
    ordered = [column for column in range(len(INPUTS)) if column not in (KEY, MODE)]
    table = {genre: family(genre, known) for genre in set(genres)}
    families = [len(known) if (at := table[genre]) is None else at for genre in genres]
    rows = np.eye(len(known) + 1)[np.array(families, dtype=np.intp)]
    return np.hstack([scales.quantiles(numbers)[:, ordered], numbers[:, [MODE]], rows])


def bend(limits: Floats, numbers: Floats) -> Floats:
    """[n, 3]: what energy beyond the limits adds, so that what is lively is not called calm."""
    return np.asarray(limits[:, 1] * (numbers[:, [ENERGY]] - limits[:, 0]).clip(0))


def combine(scores: Floats) -> Floats:
    """[n, 4] memberships in the order of ``MOODS`` from the answers [n, 3] to the questions, as logarithms of odds."""
    lively, good_lively, good_quiet = (1 / (1 + np.exp(-scores))).T
    angry, happy = lively * (1 - good_lively), lively * good_lively
    sad, calm = (1 - lively) * (1 - good_quiet), (1 - lively) * good_quiet
    return np.stack([angry, happy, sad, calm], axis=1)


def softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _table(names: Any, adds: Floats) -> dict[str, Floats]:
    keys = str(names).split("\n") if str(names) else []
    return dict(zip(keys, adds, strict=True))
