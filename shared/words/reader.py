"""The mood that a text tells, from hashed features and tables of weights: read and forgotten, nothing is kept. Pure.

Two tables tell moods: English, fitted on comments, and all other languages together. A third tells languages.
Their card is ``models/words.md``.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS, Mood, expectation
from moodstream.errors import MoodstreamError
from shared.words.features import features, normalised, signs

WORDS = Path(__file__).parents[2] / "models" / "words.npz"
FILE_FORMAT = 1
ENGLISH = "en"
TABLES = ("english", "others", "language")


@dataclass(frozen=True)
class Table:
    """A linear model over hashed features, its weights in 8 bits."""

    weights: NDArray[np.int8]
    """[2 ** bits, classes]"""
    step: float
    """what one step of the weights stands for"""
    rarity: NDArray[np.uint8]
    """[2 ** bits] inverse document frequency of each feature in 16ths; 0 for features that were never met"""
    bias: NDArray[np.float64]
    """[classes]"""

    @property
    def bits(self) -> int:
        return len(self.rarity).bit_length() - 1

    def scores(self, text: str) -> NDArray[np.float64] | None:
        """[classes] of a text; None where the table knows nothing in it."""
        found = features(text, self.bits)
        rarity = self.rarity[found] / 16
        length = float(np.sqrt(rarity @ rarity))
        if not length:
            return None
        return np.asarray(self.bias + self.step * (rarity @ self.weights[found].astype(np.float64)) / length)

    def shares(self, text: str) -> NDArray[np.float64] | None:
        """[classes] that sum to 1; None where the table knows nothing in the text."""
        scores = self.scores(text)
        if scores is None:
            return None
        likely = np.exp(scores - scores.max())
        return np.asarray(likely / likely.sum())


@dataclass(frozen=True)
class WordsReading:
    """What a text tells."""

    probabilities: Mapping[Mood, float] | None
    """of the four moods; None where nothing tells one: neither letters that it was fitted on nor emoji"""
    valence: float | None
    """from unpleasant to pleasant, -1 to 1, as the moods lie on the circumplex"""
    language: str | None
    """the likeliest, a code of two letters; None where nothing tells it"""


NOTHING = WordsReading(None, None, None)


@dataclass(frozen=True)
class WordsReader:
    """Reads the mood of texts."""

    model_name: str
    languages: tuple[str, ...]
    english: Table
    others: Table
    """classes: the moods"""
    language: Table
    """classes: ``languages``"""
    alphabet: frozenset[str]
    """letters that it was fitted on"""

    @classmethod
    def load(cls, path: Path = WORDS) -> "WordsReader":
        """Raises MoodstreamError when the file cannot be read or is no such model."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                facts = json.loads(str(file["facts"]))
                if facts["format"] != FILE_FORMAT:
                    raise ValueError(f"format {facts['format']}; this version reads {FILE_FORMAT}")
                tables = {name: _table(file, name) for name in TABLES}
        except OSError as error:
            raise MoodstreamError(f"cannot read the model of words {path}: {error.strerror or error}") from None
        except (KeyError, ValueError, TypeError, BadZipFile, EOFError) as error:
            raise MoodstreamError(f"{path} is no model of words: {error}") from None
        return cls(str(facts["name"]), tuple(facts["languages"]), **tables, alphabet=frozenset(facts["alphabet"]))

    def save(self, path: Path) -> None:
        """Write what ``load`` reads. Raises OSError."""
        facts = {
            "format": FILE_FORMAT,
            "name": self.model_name,
            "languages": self.languages,
            "alphabet": "".join(sorted(self.alphabet)),
        }
        arrays: dict[str, Any] = {"facts": json.dumps(facts)}
        for name in TABLES:
            table: Table = getattr(self, name)
            arrays |= {f"{name}_weights": table.weights, f"{name}_rarity": table.rarity, f"{name}_bias": table.bias}
            arrays[f"{name}_step"] = table.step
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)

    def read(self, text: str) -> WordsReading:
        """The mood, how pleasant it is and the language of a text; of a long one, of its beginning."""
        letters = [letter for letter in normalised(text) if letter.isalpha()]
        known = sum(letter in self.alphabet for letter in letters)
        told = self.language.shares(text)
        if told is None or 2 * known <= len(letters):
            return self._read_signs(text)
        language = self.languages[int(told.argmax())]
        shares = (self.english if language == ENGLISH else self.others).shares(text)
        return self._read_signs(text) if shares is None else _reading(shares, language)

    def _read_signs(self, text: str) -> WordsReading:
        shares = self.others.shares(signs(text))
        return NOTHING if shares is None else _reading(shares, None)


def _reading(shares: NDArray[np.float64], language: str | None) -> WordsReading:
    valence, _ = expectation(shares.tolist())
    return WordsReading(dict(zip(MOODS, shares.tolist(), strict=True)), valence, language)


def _table(file: "np.lib.npyio.NpzFile", name: str) -> Table:
    """Raises KeyError or ValueError where an array is missing or does not fit the others."""
    weights, rarity, bias = (file[f"{name}_{part}"] for part in ("weights", "rarity", "bias"))
    if weights.shape != (len(rarity), len(bias)) or len(rarity) & (len(rarity) - 1):
        raise ValueError(f"the arrays of {name} do not fit each other")
    return Table(weights.astype(np.int8), float(file[f"{name}_step"]), rarity.astype(np.uint8), bias.astype(np.float64))
