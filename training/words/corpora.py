"""Texts with the mood that people gave them, from public sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from moodstream.contracts.moods import MOODS, Mood
from training.data import DataError

GOEMOTIONS: Mapping[Mood, frozenset[str]] = {
    Mood.ANGRY: frozenset({"anger", "annoyance"}),
    Mood.HAPPY: frozenset({"joy", "amusement", "excitement", "love", "optimism", "pride", "gratitude"}),
    Mood.SAD: frozenset({"sadness", "grief", "disappointment", "remorse"}),
    Mood.CALM: frozenset({"neutral", "relief"}),
}
"""Emotions of a comment: D. Demszky et al., "GoEmotions", ACL 2020."""
XED: Mapping[Mood, frozenset[str]] = {
    Mood.ANGRY: frozenset({"anger"}),
    Mood.HAPPY: frozenset({"joy"}),
    Mood.SAD: frozenset({"sadness"}),
    Mood.CALM: frozenset({"neutral"}),
}
"""Emotions of a subtitle: E. Ohman et al., "XED", COLING 2020."""


@dataclass(frozen=True)
class Texts:
    """Texts, their languages and what they are labelled with, an index into ``MOODS``."""

    texts: npt.NDArray[np.object_]
    languages: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)

    def chosen(self, which: npt.NDArray[np.bool_]) -> "Texts":
        return Texts(self.texts[which], self.languages[which], self.labels[which])


def mood_of(emotions: str, mapping: Mapping[Mood, frozenset[str]]) -> Mood | None:
    """The mood of emotions with bars between them; None where they are of none, of several, or also of no mood."""
    named = set(emotions.split("|"))
    moods = [mood for mood, own in mapping.items() if named & own]
    return moods[0] if len(moods) == 1 and named <= mapping[moods[0]] else None


def read(path: Path, mapping: Mapping[Mood, frozenset[str]]) -> Texts:
    """A table with columns ``text``, ``emotions`` and, unless all is English, ``language``. Raises DataError."""
    frame = _table(path, ["text", "emotions"])
    moods = [mood_of(str(one), mapping) for one in frame["emotions"]]
    kept = np.array([mood is not None for mood in moods], bool)
    languages = frame["language"].to_numpy(str) if "language" in frame else np.full(len(frame), "en")
    labels = np.array([MOODS.index(mood) for mood in moods if mood is not None], np.int64)
    return Texts(frame["text"].to_numpy(object)[kept], languages[kept], labels)


def read_languages(path: Path) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.str_]]:
    """All texts of a table, and the language of each. Raises DataError."""
    frame = _table(path, ["text", "language"])
    return frame["text"].to_numpy(object), frame["language"].to_numpy(str)


def read_valence(path: Path) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    """Texts, and how pleasant readers found them, -1 to 1: EmoBank's ``V`` of 1 to 5 (Buechel & Hahn, EACL 2017).

    Raises DataError.
    """
    frame = _table(path, ["text", "V"])
    return frame["text"].to_numpy(object), (frame["V"].to_numpy(float) - 3) / 2


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_csv(path).dropna(subset=columns)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    except KeyError as error:
        raise DataError(f"{path} lacks a column: {error.args[0]}") from None
