"""Songs get the mood of the quadrant that their cluster lies in."""

from pathlib import Path

import numpy as np
import pytest

from moodstream.contracts.moods import COORDINATES, MOODS, Mood, quadrant
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import FEATURES, Catalogue
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.models import mood_cache, song_moods
from tests.support.random_songs import catalogue, table


def planted(seed: int, centre: tuple[float, float] = (0.5, 0.5)) -> tuple[Catalogue, dict[str, Mood]]:
    """400 songs in four tight groups around ``centre``, of which each has its own sound, and the mood of each song."""
    random = np.random.default_rng(seed)
    songs = table(400, seed)
    moods = [MOODS[number % 4] for number in range(400)]
    valence, arousal = np.array([COORDINATES[mood] for mood in moods]).T
    noise = random.normal(0, 0.02, (len(songs), 4))
    songs["valence"] = centre[0] + 0.25 * valence + noise[:, 0]
    songs["energy"] = centre[1] + 0.25 * arousal + noise[:, 1]
    songs["danceability"] = 0.5 + 0.3 * valence + noise[:, 2]
    songs["acousticness"] = 0.5 - 0.3 * arousal + noise[:, 3]
    songs["loudness"] = -12 + 6 * arousal
    songs["mode"] = (valence > 0).astype(int)
    for name in ("speechiness", "instrumentalness", "liveness", "tempo", "key"):
        songs[name] = round(float(songs[name].mean()))
    return Catalogue(songs), dict(zip(songs["id"], moods, strict=True))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("centre", [(0.5, 0.5), (0.3, 0.7)])
def test_groups_get_the_moods_of_their_quadrants_seen_from_the_catalogues_centre(
    seed: int, centre: tuple[float, float]
) -> None:
    songs, expected = planted(seed, centre)
    fitted = song_moods.fit(songs, "article")
    found = {song_id: fitted.mood(position) for position, song_id in enumerate(songs.frame["id"])}
    assert found == expected


def test_each_mood_has_songs_and_places_lie_in_the_plane() -> None:
    songs = catalogue(500)
    fitted = song_moods.fit(songs, "article")
    positions = [fitted.positions(mood) for mood in MOODS]
    assert sorted(np.concatenate(positions)) == list(range(500))
    assert all(len(of_mood) > 0 for of_mood in positions)
    assert len(fitted.positions(Mood.UNSURE)) == 0
    np.testing.assert_allclose(fitted.valence, 2 * songs.frame["valence"] - 1)
    np.testing.assert_allclose(fitted.arousal, 2 * songs.frame["energy"] - 1)
    assert np.abs(fitted.valence).max() <= 1


def test_the_same_songs_in_another_order_get_the_same_moods() -> None:
    songs = table(700)
    one = song_moods.fit(Catalogue(songs), "article")
    two = song_moods.fit(Catalogue(songs.sample(frac=1, random_state=1)), "article")
    np.testing.assert_array_equal(one.codes, two.codes)


def test_constant_features_do_no_harm() -> None:
    songs = table(100).assign(loudness=-8.0, instrumentalness=0.0)
    assert len(np.unique(song_moods.fit(Catalogue(songs), "article").codes)) == 4


@pytest.mark.parametrize("count", [1, 3, 30])
def test_too_few_different_songs_are_one_clear_line(count: int) -> None:
    songs = table(count)
    for name in FEATURES:
        songs[name] = songs[name][np.arange(count) % 3].to_numpy()
    with pytest.raises(MoodstreamError, match="at least 4 different songs"):
        song_moods.fit(Catalogue(songs), "article")


def test_four_songs_are_enough() -> None:
    library = Library.build(catalogue(4), LibraryOptions(method="article"))
    moods = {library.moods.mood(position) for position in range(4)}
    assert moods == set(MOODS)
    assert len(library.similar(library.catalogue.frame["id"][0], 0)) == 3
    offered = library.offer(Mood.HAPPY, "5f0c7e51-1f7a-4c1e-9a57-0d3f5d3c2b1a")
    assert len(offered.songs) == 4
    assert set(offered.filled) == set(MOODS) - {Mood.HAPPY}


@pytest.mark.parametrize("method", sorted(song_moods.METHODS))
def test_every_method_gives_each_song_a_mood_a_place_and_memberships(method: song_moods.Method) -> None:
    songs = catalogue(600)
    fitted = song_moods.fit(songs, method)
    assert len(fitted.codes) == 600
    assert np.abs(fitted.plane).max() <= 1
    np.testing.assert_allclose(fitted.memberships.sum(axis=1), 1)
    assert all(0 <= fitted.margin(at) <= 1 for at in range(600))
    np.testing.assert_array_equal(fitted.codes, song_moods.fit(songs, method).codes)


@pytest.mark.parametrize("method", ["dbscan", "birch", "gmm"])
def test_the_other_clusterings_find_planted_groups(method: song_moods.Method) -> None:
    songs, expected = planted(1)
    fitted = song_moods.fit(songs, method)
    right = [fitted.mood(at) == expected[song_id] for at, song_id in enumerate(songs.frame["id"])]
    assert np.mean(right) > 0.95


def test_moods_that_take_long_are_found_once_for_the_same_songs(tmp_path: Path) -> None:
    songs, beside = catalogue(300), tmp_path / "catalogue.parquet"
    kept = tmp_path / "catalogue.parquet.moods.npz"
    found = mood_cache.load_or_fit(songs, "article", beside)
    stamp = kept.stat().st_mtime_ns
    again = mood_cache.load_or_fit(songs, "article", beside)
    assert kept.stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(again.codes, found.codes)
    np.testing.assert_array_equal(again.memberships, found.memberships)
    for other, method in ((catalogue(300, 1), "article"), (songs, "gmm")):
        expected = song_moods.fit(other, method)  # type: ignore[arg-type]
        np.testing.assert_array_equal(mood_cache.load_or_fit(other, method, beside).codes, expected.codes)  # type: ignore[arg-type]
    kept.write_bytes(b"PK\x03\x04 and then nothing")
    np.testing.assert_array_equal(mood_cache.load_or_fit(songs, "article", beside).codes, found.codes)
    assert [file.name for file in tmp_path.iterdir()] == [kept.name]


def test_listeners_place_songs_in_the_quadrant_of_their_mood_and_hear_what_people_would() -> None:
    frame = table(4).assign(genre="pop", loudness=-6.0, liveness=0.1, speechiness=0.04, instrumentalness=0.0)
    frame[["energy", "valence", "danceability", "acousticness", "tempo", "loudness"]] = [
        [0.85, 0.95, 0.8, 0.05, 125, -5],  # a dance hit
        [0.15, 0.1, 0.3, 0.95, 75, -15],  # a slow ballad
        [0.98, 0.25, 0.35, 0.001, 150, -3],  # as loud as it gets
        [0.3, 0.75, 0.6, 0.85, 95, -13],  # a gentle, friendly one
    ]
    frame.loc[2, "genre"] = "metal"
    songs = Catalogue(frame)
    fitted = song_moods.fit(songs)
    found = {song_id: fitted.mood(songs.position(song_id)) for song_id in frame["id"]}
    assert [found[song_id] for song_id in frame["id"][:3]] == [Mood.HAPPY, Mood.SAD, Mood.ANGRY]
    many = song_moods.fit(catalogue(800))
    for at in range(800):
        assert quadrant(many.valence[at], many.arousal[at]) == many.mood(at)
