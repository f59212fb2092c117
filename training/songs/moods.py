"""Fits the model of how listeners name the mood of a song.

``python -m training.songs.moods --labels LABELS.csv --catalogue SONGS.csv --tables TABLES.csv``: the labels have the
columns of a catalogue and ``label_quadrant``, ``label_valence``, ``label_arousal``, ``label_source``; the catalogue
says how features are distributed, the tables how artists sound. Prints, beside the plain quadrant, a ridge regression
and the article's clusters: agreement on the songs of the artists kept aside, agreement by cross-validation over all
artists, and the sanity of what was fitted. ``--explore`` cross-validates the recipe on the other artists' songs only.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from moodstream.contracts.moods import MOODS, quadrant
from services.recommender.models import song_moods
from services.recommender.models.listeners import LISTENERS, ListenersModel, inputs
from services.recommender.models.vectors import INPUTS, Floats, Scales
from training.songs.agreement import describe
from training.songs.fitting import Recipe, fit
from training.songs.labels import (
    GENRES,
    ArtistSounds,
    Codes,
    Labels,
    artist_folds,
    catalogue_of,
    kept_aside,
    numbers_of,
    read_labels,
    read_songs,
)
from training.songs.offered import describe_offers
from training.songs.sanity import Crowd, describe_sanity, restrain

FOLDS = 5


class Bench:
    """Fits and asks every method."""

    def __init__(self, scales: Scales, sounds: ArtistSounds, crowds: Sequence[Crowd], recipe: Recipe) -> None:
        self._scales, self._sounds, self._crowds, self._recipe = scales, sounds, crowds, recipe

    def fit(self, known: Labels) -> ListenersModel:
        """Everything that ships, from these labels alone."""
        return restrain(fit(known, self._scales, self._sounds, self._recipe), self._crowds)

    def ours(self, known: Labels, new: Labels) -> Floats:
        """Memberships of new songs by a model of the known ones."""
        model = self.fit(known)
        return model.memberships(new.numbers, new.genres.tolist(), new.artists.tolist(), new.titles.tolist())

    def ridge(self, known: Labels, new: Labels) -> Codes:
        """A linear regression of valence and arousal, of the sources that have them."""
        placed = known.take(np.flatnonzero(~np.isnan(known.plane).any(axis=1)))
        values, others = (inputs(self._scales, some.numbers, some.genres.tolist(), GENRES) for some in (placed, new))
        points = Ridge(3.0).fit(values, placed.plane).predict(others)
        return np.array([MOODS.index(quadrant(*point)) for point in points])

    def crossed(self, labels: Labels, seed: int) -> tuple[dict[str, Codes], Floats]:
        """By cross-validation with artists apart: the moods by each method, and our memberships."""
        part = artist_folds(labels.artists.tolist(), FOLDS, seed)
        memberships, ridge = np.zeros((len(labels), len(MOODS))), np.zeros(len(labels), np.intp)
        for fold in range(FOLDS):
            known, new = (labels.take(np.flatnonzero(rows)) for rows in (part != fold, part == fold))
            memberships[part == fold], ridge[part == fold] = self.ours(known, new), self.ridge(known, new)
        return plain(labels) | {"ridge": ridge, "listeners": memberships.argmax(axis=1)}, memberships

    def kept_aside(self, labels: Labels) -> str:
        """A report on the artists kept aside, by a model of the others."""
        aside = kept_aside(labels)
        known, new = labels.take(np.flatnonzero(~aside)), labels.take(np.flatnonzero(aside))
        memberships = self.ours(known, new)
        found = plain(new) | {"ridge": self.ridge(known, new), "listeners": memberships.argmax(axis=1)}
        told = describe(new, found, memberships), describe_offers(new, memberships)
        return "\n".join(("kept aside, fitted on the other artists", *told))


def prepare(labels: Path, songs: pd.DataFrame, tables: pd.DataFrame) -> tuple[Bench, Labels]:
    """What fits and asks, and the labelled songs."""
    typical = typical_of(songs)
    scales = Scales.fit(numbers_of(songs, typical))
    crowds = [Crowd.of(table, numbers_of(table, typical)) for table in (songs, tables)]
    bench = Bench(scales, ArtistSounds(tables, scales, typical), crowds, Recipe())
    return bench, read_labels(labels, typical)


def typical_of(songs: pd.DataFrame) -> Floats:
    """[12] what a song counts as where a table does not say it."""
    return np.asarray(songs[list(INPUTS)].median().to_numpy(float))


def plain(labels: Labels) -> dict[str, Codes]:
    """The moods by methods that ask no listener."""
    catalogue = catalogue_of(labels)
    methods: tuple[song_moods.Method, ...] = ("quadrant", "article")
    return {name: song_moods.fit(catalogue, name).codes for name in methods}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--catalogue", type=Path, required=True)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=LISTENERS)
    parser.add_argument("--explore", action="store_true", help="tell nothing of the songs kept aside, write nothing")
    given = parser.parse_args()
    songs, tables = read_songs(given.catalogue), read_songs(given.tables)
    bench, labels = prepare(given.labels, songs, tables)
    if given.explore:
        some = labels.take(np.flatnonzero(~kept_aside(labels)))
        print(describe(some, *bench.crossed(some, seed=0)))
        return
    model = bench.fit(labels)
    model.save(given.out)
    print(f"limits {model.limits.tolist()}")
    for name, table in (("catalogue", songs), ("tables", tables)):
        print(f"{name}: {describe_sanity(model, table, numbers_of(table, typical_of(songs)))}")
    print(f"{bench.kept_aside(labels)}\n", flush=True)
    print(f"cross-validation, artists apart\n{describe(labels, *bench.crossed(labels, seed=0))}\n", flush=True)


if __name__ == "__main__":
    main()
