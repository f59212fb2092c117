"""Songs whose mood listeners have named, and what tables of songs without labels tell of their artists."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from moodstream.contracts.moods import MOODS
from services.recommender.catalogue.table import Catalogue
from services.recommender.models.listeners import family, first_artist
from services.recommender.models.vectors import INPUTS, KEY, Embedding, Floats, Scales

SEED = 1926
KEPT_ASIDE = 0.2
"""Share of the artists on whose songs nothing is chosen; what is told of the model is told of them."""

GENRES = (
    *("rock", "pop", "r&b", "country", "rap", "metal", "edm", "soul", "latin", "jazz", "indie", "classical"),
    *("hip-hop", "k-pop"),
)
SHRINKAGE = 3
"""How many average songs are added to those of an artist."""

MIN_SONGS = 12
"""An artist with fewer songs in the tables counts as an average one."""

Codes = npt.NDArray[np.intp]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Labels:
    """Labelled songs, row by row."""

    numbers: Floats
    genres: Texts
    artists: Texts
    titles: Texts
    ids: Texts
    sources: Texts
    codes: Codes
    """positions in ``MOODS``"""
    plane: Floats
    """[n, 2] valence and arousal as listeners gave them; nan where a source has moods only"""

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Codes) -> "Labels":
        return Labels(*(getattr(self, field.name)[rows] for field in fields(self)))


def read_labels(path: Path, typical: Floats) -> Labels:
    """What a song lacks counts as ``typical`` [12]."""
    table = read_songs(path)
    return Labels(
        numbers=numbers_of(table, typical),
        genres=table["genre"].to_numpy(dtype=object),
        artists=table["artist"].to_numpy(dtype=object),
        titles=table["title"].to_numpy(dtype=object),
        ids=table["track_id"].to_numpy(dtype=object),
        sources=table["label_source"].to_numpy(dtype=object),
        codes=np.array([MOODS.index(name.lower()) for name in table["label_quadrant"]]),
        plane=table[["label_valence", "label_arousal"]].astype(float).to_numpy(),
    )


def read_songs(path: Path) -> pd.DataFrame:
    """A table of songs, with "" where a text is missing and nan where a number is."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
    texts = [name for name in ("track_id", "title", "artist", "genre") if name in table]
    return table.assign(**{name: table[name].fillna("").astype(str) for name in texts})


def numbers_of(table: pd.DataFrame, typical: Floats) -> Floats:
    numbers = table[list(INPUTS)].to_numpy(float)
    return np.where(np.isnan(numbers), typical, numbers)


def catalogue_of(labels: Labels) -> Catalogue:
    """The same songs, in the same order, as a catalogue."""
    frame = pd.DataFrame(labels.numbers, columns=list(INPUTS))
    ids = [f"{at:06}" for at in range(len(labels))]
    texts = frame.assign(id=ids, title=labels.titles, artist=labels.artists, genre=labels.genres, uri="")
    return Catalogue(texts)


def artist_folds(artists: Sequence[str], count: int, seed: int) -> Codes:
    """[n] to which of ``count`` parts each song belongs; all songs of an artist belong to one."""
    names = np.array([first_artist(artist) for artist in artists])
    known = np.random.default_rng(seed).permutation(np.unique(names))
    part = {name: at % count for at, name in enumerate(known.tolist())}
    return np.array([part[name] for name in names.tolist()])


def kept_aside(labels: Labels) -> npt.NDArray[np.bool_]:
    """The songs of a fifth of the artists."""
    names = np.array([first_artist(artist) for artist in labels.artists.tolist()])
    known = np.unique(names)
    np.random.default_rng(SEED).shuffle(known)
    return np.asarray(np.isin(names, known[: int(KEPT_ASIDE * len(known))]))


class ArtistSounds:
    """How the songs of an artist sound on average, by public tables without labels."""

    def __init__(self, tables: pd.DataFrame, scales: Scales, typical: Floats) -> None:
        numbers = numbers_of(tables, typical)
        ordered = [column for column in range(len(INPUTS)) if column != KEY]
        rows = np.hstack([scales.quantiles(numbers)[:, ordered], Embedding.load().points(numbers)])
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        table = {genre: family(genre, GENRES) for genre in tables["genre"].unique()}
        kinds = np.array([-1 if (at := table[genre]) is None else at for genre in tables["genre"]])
        shares = (kinds[:, None] == np.arange(len(GENRES))).astype(float)
        self._rows = np.hstack([rows, 2 * (shares - shares.mean(axis=0))])
        self._ids, self._titles = tables["track_id"].to_numpy(), _plain(tables["title"])
        names: pd.Series[Any] = tables["artist"].map(first_artist)
        groups: Mapping[Any, Any] = names.groupby(names).indices
        self._groups = {name: rows for name, rows in groups.items() if name and len(rows) >= MIN_SONGS}

    @property
    def width(self) -> int:
        return int(self._rows.shape[1])

    def without_themselves(self, labels: Labels) -> Floats:
        """[n, width] for labelled songs: of the artist's other songs, 0 for unknown artists."""
        sounds = np.zeros((len(labels), self.width))
        plain = _plain(pd.Series(labels.titles))
        for at, artist in enumerate(labels.artists.tolist()):
            rows = self._groups.get(first_artist(artist))
            if rows is not None:
                others = rows[(self._ids[rows] != labels.ids[at]) & (self._titles[rows] != plain[at])]
                sounds[at] = self._mean(others)
        return sounds

    def all(self) -> dict[str, Floats]:
        """By the first artist's name."""
        return {name: self._mean(rows) for name, rows in sorted(self._groups.items()) if "\n" not in name}

    def _mean(self, rows: Codes) -> Floats:
        return np.asarray(self._rows[rows].sum(axis=0) / (len(rows) + SHRINKAGE))


def _plain(titles: "pd.Series[Any]") -> Texts:
    return titles.map(lambda title: re.sub(r"[^\w]", "", title.casefold())).to_numpy(dtype=object)
