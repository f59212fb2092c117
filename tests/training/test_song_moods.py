"""How the model of songs' moods is fitted and judged."""

from dataclasses import replace

import numpy as np
import pytest

from moodstream.contracts.moods import MOODS
from services.recommender.models.listeners import LIVELY, ORDERED, ListenersModel, bend, first_artist
from services.recommender.models.vectors import INPUTS
from tests.support.random_songs import table
from training.songs.agreement import Draws, balanced_accuracies, calibration_error, figure, surest_quarter
from training.songs.fitting import regression
from training.songs.labels import Labels, artist_folds, catalogue_of, kept_aside
from training.songs.offered import describe_offers
from training.songs.sanity import MAX_LIVELY, Crowd, limits_of, lively_shares, restrain


def labels(count: int = 400) -> Labels:
    """Random songs; listeners go by energy and valence alone."""
    frame = table(count)
    lively, pleasant = frame["energy"] > 0.5, frame["valence"] > 0.5
    codes = np.where(lively, np.where(pleasant, 1, 0), np.where(pleasant, 3, 2))
    genres, artists, titles, ids = (frame[name].to_numpy(dtype=object) for name in ("genre", "artist", "title", "id"))
    sources = np.array(["one", "two"] * (count // 2), dtype=object)
    numbers = frame[list(INPUTS)].to_numpy(float)
    return Labels(numbers, genres, artists, titles, ids, sources, codes, np.zeros((count, 2)))


def test_artists_are_apart_in_every_split() -> None:
    songs = labels()
    artists = np.array([first_artist(name) for name in songs.artists])
    part = artist_folds(songs.artists.tolist(), 5, seed=0)
    aside = kept_aside(songs)
    assert {len(set(part[artists == name])) for name in set(artists)} == {1}
    assert not set(artists[aside]) & set(artists[~aside])
    assert 0.1 < aside.mean() < 0.3
    assert catalogue_of(songs).frame["title"].tolist() == songs.titles.tolist()


def test_figures_are_those_of_plain_counting() -> None:
    songs = labels()
    found = songs.codes.copy()
    found[::4] = (found[::4] + 1) % 4
    right = (found == songs.codes).astype(float)
    weights = Draws(songs).weights()
    told = figure(balanced_accuracies(songs.codes, right, weights))
    assert told.value == pytest.approx(np.mean([right[songs.codes == code].mean() for code in range(4)]))
    assert told.low < told.value < told.high
    memberships = np.full((8, 4), 0.1)
    memberships[:, 1] = np.linspace(0.3, 0.7, 8)
    assert surest_quarter(np.full(8, 1), memberships, 1).tolist() == [7, 6]
    sure = np.eye(4)[songs.codes] * 0.76 + 0.06
    assert calibration_error(songs.codes, sure) == pytest.approx(1 - 0.82)
    assert "listeners agree with 5.0" in describe_offers(songs, sure)


def test_a_bound_holds_and_nothing_else_is_bound() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(500, 2))
    truth = (values @ [-1.0, 2.0] + random.normal(size=500) > 0.3).astype(float)
    free, bias = regression(values, truth, np.ones(500), np.ones(2), [(None, None)] * 3)
    bound, _ = regression(values, truth, np.ones(500), np.ones(2), [(0, None), (None, None), (None, None)])
    assert free[0] < -0.5 < 0 < free[1]
    assert bias < 0
    assert bound[0] == 0
    assert bound[1] > 0.5


def test_the_gentlest_limits_keep_lively_songs_out_of_calm() -> None:
    frame = table(2_000)
    crowd = Crowd.of(frame, frame[list(INPUTS)].to_numpy(float))
    model = replace(ListenersModel.load(), limits=limits_of(0))
    found = restrain(model, [crowd])
    codes = found.memberships(crowd.numbers, *crowd.texts).argmax(axis=1)
    assert max(lively_shares(codes, crowd.numbers[:, INPUTS.index("energy")]).values()) <= MAX_LIVELY
    assert (bend(found.limits, crowd.numbers)[:, LIVELY] >= 0).all()
    assert len(MOODS) == 4
    assert model.weights[ORDERED.index("energy"), LIVELY] >= 0
