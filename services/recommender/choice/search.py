"""Finding songs by title and artist, without accents and with typing mistakes. Pure."""

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from services.recommender.catalogue.table import Floats

LIKE = 0.55
"""share of a text's pairs and triples of letters that a song must have: one wrong letter in eight leaves 0.6"""
BUCKETS = 2**16
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})


def fold(text: str) -> str:
    """Small letters and digits without accents, words apart by one space."""
    signs = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    bare = "".join(sign for sign in signs if not unicodedata.combining(sign))
    return " ".join("".join(sign if sign.isalnum() else " " for sign in bare.replace("'", "").replace("’", "")).split())


class SongSearch:
    """Over the songs of one catalogue, by position. What is needed for mistakes is made when it is first asked for."""

    def __init__(self, titles: Sequence[str], artists: Sequence[str]) -> None:
        self._titles = [fold(title) for title in titles]
        self._texts = [f"{title} {fold(artist)}" for title, artist in zip(self._titles, artists, strict=True)]

    def find(self, text: str, count: int) -> list[tuple[int, bool]]:
        """Positions of the songs that fit best, and whether each has all the words as they were written.

        Songs with every word (or its beginning) come first, whole titles before others; then those that are like it.
        """
        wanted = fold(text)
        if not wanted:
            return []
        words = wanted.split()
        exact = [at for at, song in enumerate(self._texts) if all(word in song for word in words)]
        exact.sort(key=lambda at: (*self._distance(at, wanted, words), at))
        found = [(at, True) for at in exact[:count]]
        if len(found) < count:
            known = set(exact)
            found += [(at, False) for at in self._like(wanted, count + len(known)) if at not in known]
        return found[:count]

    def _distance(self, at: int, wanted: str, words: Sequence[str]) -> tuple[bool, bool, bool, int]:
        """Smaller is nearer: the title itself, its beginning, whole words, then by length."""
        title, whole = self._titles[at], set(self._texts[at].split())
        return title != wanted, not title.startswith(wanted), not whole.issuperset(words), len(self._texts[at])

    def _like(self, wanted: str, count: int) -> list[int]:
        asked = self._letters.transform([wanted]).indices
        columns = self._grams[:, asked]
        weights = self._rarity[asked]
        shares = np.asarray(columns @ weights) / weights.sum()
        likely = np.flatnonzero(shares >= LIKE)
        lengths = np.array([len(self._texts[at]) for at in likely])
        order = np.lexsort((likely, lengths, -shares[likely].round(3)))
        return [int(at) for at in likely[order][:count]]

    @cached_property
    def _letters(self) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer

        return HashingVectorizer(
            analyzer="char_wb",
            ngram_range=(2, 3),
            n_features=BUCKETS,
            binary=True,
            norm=None,
            alternate_sign=False,
            dtype=np.float32,
        )

    @cached_property
    def _grams(self) -> Any:
        """[n, BUCKETS] which pairs and triples of letters a song has, column by column."""
        return self._letters.transform(self._texts).tocsc()

    @cached_property
    def _rarity(self) -> Floats:
        """[BUCKETS] rare letters tell more."""
        counts = np.diff(self._grams.indptr)
        return np.asarray(np.log((1 + len(self._texts)) / (1 + counts)) + 1)
