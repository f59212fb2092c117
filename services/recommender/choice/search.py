"""Finding songs by title and artist, without accents and with typing mistakes. Pure."""

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from services.recommender.catalogue.table import Floats, Positions

LIKE = 0.5
"""Dice's coefficient of two words' pairs and triples of letters, from which they are taken for the same word"""
ENOUGH = 0.6
"""how much of what was asked for a song must have, 0 to 1"""
LOOKED_AT = 40
"""words of the catalogue that one word may mean"""
BUCKETS = 2**16
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})


def fold(text: str) -> str:
    """Small letters and digits without accents, words apart by one space."""
    signs = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    bare = "".join(sign for sign in signs if not unicodedata.combining(sign))
    return " ".join("".join(sign if sign.isalnum() else " " for sign in bare.replace("'", "").replace("’", "")).split())


class Words:
    """The different words of a catalogue. What is needed for mistakes is made when it is first asked for."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def like(self, word: str) -> list[tuple[int, float]]:
        """Words by number, and how like they are, 0 to 1."""
        asked = self._letters.transform([word]).indices
        common = np.asarray(self._grams[:, asked].sum(axis=1)).ravel()
        likeness = 2 * common / (self._sizes + len(asked))
        best = np.argsort(-likeness, kind="stable")[:LOOKED_AT]
        return [(int(at), float(likeness[at])) for at in best if likeness[at] >= LIKE]

    @cached_property
    def _letters(self) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer

        options = {"binary": True, "norm": None, "alternate_sign": False, "dtype": np.float32}
        return HashingVectorizer(analyzer="char_wb", ngram_range=(2, 3), n_features=BUCKETS, **options)

    @cached_property
    def _grams(self) -> Any:
        """[words, BUCKETS] which pairs and triples of letters a word has, column by column."""
        return self._letters.transform(self.words).tocsc()

    @cached_property
    def _sizes(self) -> Floats:
        """[words] how many pairs and triples each has."""
        return np.asarray(self._grams.sum(axis=1)).ravel()


class SongSearch:
    """Over the songs of one catalogue, by position."""

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
            found += [(at, False) for at in self._like(words, set(exact), count - len(found))]
        return found

    def _distance(self, at: int, wanted: str, words: Sequence[str]) -> tuple[bool, bool, bool, int]:
        """Smaller is nearer: the title itself, its beginning, whole words, then by length."""
        title, whole = self._titles[at], set(self._texts[at].split())
        return title != wanted, not title.startswith(wanted), not whole.issuperset(words), len(self._texts[at])

    def _like(self, words: Sequence[str], known: set[int], count: int) -> list[int]:
        """Songs with words like the ones asked for, the likeliest first, shorter ones before longer ones."""
        total = np.zeros(len(self._texts))
        for word in words:
            best = np.zeros(len(self._texts))
            for number, likeness in self._words.like(word):
                songs = self._songs_of(number)
                best[songs] = np.maximum(best[songs], likeness)
            total += best * len(word)  # long words tell more
        shares = (total / sum(map(len, words))).round(3)
        likely = [int(at) for at in np.flatnonzero(shares >= ENOUGH) if at not in known]
        return sorted(likely, key=lambda at: (-shares[at], len(self._texts[at]), at))[:count]

    def _songs_of(self, word: int) -> Positions:
        return self._songs[self._starts[word] : self._starts[word + 1]]

    @cached_property
    def _words(self) -> Words:
        return Words(list(self._vocabulary))

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        """The words of all songs, numbered."""
        return {
            word: number for number, word in enumerate(dict.fromkeys(w for text in self._texts for w in text.split()))
        }

    @cached_property
    def _occurrences(self) -> tuple[Positions, Positions]:
        numbers = self._vocabulary
        pairs = np.array(
            [(numbers[w], at) for at, text in enumerate(self._texts) for w in set(text.split())], dtype=np.intp
        )
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        return np.searchsorted(pairs[order, 0], np.arange(len(numbers) + 1)), pairs[order, 1]

    @property
    def _starts(self) -> Positions:
        """[words + 1] where the songs of each word begin in ``_songs``."""
        return self._occurrences[0]

    @property
    def _songs(self) -> Positions:
        return self._occurrences[1]
