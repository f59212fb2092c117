"""Songs get the mood of the quadrant that their cluster lies in."""

from pathlib import Path

import numpy as np
import pytest

from moodstream.contracts.moods import COORDINATES, MOODS, Mood, quadrant
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import FEATURES, Catalogue
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.choice.offers import Offers
from services.recommender.models import clusters, mood_cache, song_moods
from services.recommender.models.listeners import ListenersModel, title_words
from services.recommender.models.vectors import Floats
from tests.support.random_songs import catalogue, table
from training.songs.sanity import MAX_LIVELY, lively_shares


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


def test_each_song_has_one_mood_and_places_lie_in_the_plane() -> None:
    songs = catalogue(500)
    fitted = song_moods.fit(songs, "article")
    positions = [fitted.positions(mood) for mood in MOODS]
    assert sorted(np.concatenate(positions)) == list(range(500))
    assert len(fitted.positions(Mood.UNSURE)) == 0
    assert np.abs(fitted.plane).max() <= 1


def test_the_same_songs_in_another_order_get_the_same_moods() -> None:
    songs = table(700)
    one = song_moods.fit(Catalogue(songs), "article")
    two = song_moods.fit(Catalogue(songs.sample(frac=1, random_state=1)), "article")
    np.testing.assert_array_equal(one.codes, two.codes)


def test_constant_features_do_no_harm() -> None:
    songs = table(100).assign(loudness=-8.0, instrumentalness=0.0)
    fitted = song_moods.fit(Catalogue(songs), "article")
    assert len(fitted.clusters) == 4
    assert np.isfinite(fitted.memberships).all()


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
    assert len(library.similar(library.catalogue.frame["id"][0], 0)) == 3
    offered = library.offer(Mood.HAPPY, "5f0c7e51-1f7a-4c1e-9a57-0d3f5d3c2b1a")
    assert len(offered.songs) == 4
    assert set(offered.filled) == moods - {Mood.HAPPY}


@pytest.mark.parametrize("method", sorted(song_moods.METHODS))
def test_every_method_gives_each_song_a_mood_a_place_and_memberships(method: song_moods.Method) -> None:
    songs = catalogue(600)
    fitted = song_moods.fit(songs, method)
    assert len(fitted.codes) == 600
    assert np.abs(fitted.plane).max() <= 1
    np.testing.assert_allclose(fitted.memberships.sum(axis=1), 1)
    assert ((fitted.margins >= 0) & (fitted.margins <= 1)).all()
    np.testing.assert_array_equal(fitted.memberships.argmax(axis=1), fitted.codes)
    assert [quadrant(*point) for point in fitted.plane] == [fitted.mood(at) for at in range(600)]
    np.testing.assert_array_equal(fitted.codes, song_moods.fit(songs, method).codes)


def test_clusters_lie_where_their_songs_do_and_what_they_share_is_said() -> None:
    songs, _ = planted(2)
    fitted = song_moods.fit(songs, "article")
    assert fitted.notes == ()
    plane = songs.frame[["valence", "energy"]].to_numpy()
    for place in fitted.clusters:
        own = fitted.positions(place.mood)
        assert len(own) == place.songs
        np.testing.assert_allclose(plane[own].mean(axis=0), (place.valence, place.energy))
    moods = [Mood.HAPPY, Mood.HAPPY, Mood.SAD, Mood.CALM]
    notes = clusters.describe_places(tuple(clusters.Cluster(mood, 10, 0.5, 0.5) for mood in moods))
    assert notes == ("2 clusters lie in happy", "no cluster lies in angry, so no song has this mood")


def test_a_mood_without_a_cluster_is_filled_by_the_songs_nearest_to_it() -> None:
    songs = catalogue(300)
    codes = np.full(300, MOODS.index(Mood.HAPPY))
    memberships = np.eye(4)[codes]
    random = np.random.default_rng(0)
    valence, arousal = random.uniform(0, 1, (2, 300))
    moods = song_moods.SongMoods(codes, valence, arousal, memberships)
    drawn = Offers(songs.artist, moods, np.ones(300, bool)).draw(Mood.CALM, "5f0c7e51-1f7a-4c1e-9a57-0d3f5d3c2b1a", ())
    away = np.linalg.norm(moods.plane - np.array(COORDINATES[Mood.CALM]), axis=1)
    assert drawn == np.argsort(away)[:5].tolist()


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
    assert again.clusters == found.clusters
    assert found.clusters
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


@pytest.mark.parametrize(
    ("feature", "place", "steps"),
    [
        ("energy", "arousal", np.linspace(0, 1, 41)),
        ("loudness", "arousal", np.linspace(-50, 2, 41)),
        ("valence", "valence", np.linspace(0, 1, 41)),
    ],
)
def test_places_rise_with_what_people_hear(feature: str, place: str, steps: Floats) -> None:
    """Every song, at each value of the feature, all else as it is."""
    frame = table(60).assign(genre=["rock", "rap", "pop", ""] * 15, artist="Radiohead", title="Sad love song")
    found = [getattr(song_moods.fit(Catalogue(frame.assign(**{feature: value}))), place) for value in steps]
    assert (np.diff(found, axis=0) >= -1e-9).all()
    if feature != "loudness":  # which says little that energy does not say
        assert np.mean(found[-1] - found[0]) > 0.05


def test_what_is_lively_is_not_called_calm_or_sad() -> None:
    songs = catalogue(3_000)
    shares = lively_shares(song_moods.fit(songs).codes, songs.frame["energy"].to_numpy())
    assert all(share <= MAX_LIVELY for share in shares.values()), shares


def test_names_of_songs_count_and_unknown_ones_change_nothing() -> None:
    model = ListenersModel.load()
    frame = table(40)
    numbers = Catalogue(frame).inputs
    plain = model.memberships(numbers, [""] * 40, ["nobody ever"] * 40, ["Qwxyz"] * 40)
    np.testing.assert_array_equal(model.memberships(numbers, [""] * 40, [""] * 40, [""] * 40), plain)
    gentler = model.memberships(numbers, [""] * 40, [""] * 40, ["Goodbye (2011 Remaster)"] * 40)
    assert np.abs(gentler - plain).max() > 0.001
    assert title_words("Don’t Go - Live at Home") == {"don't", "go"}
    assert title_words("(I Can't Get No) Satisfaction [Mono]") == {"i", "can't", "get", "no", "satisfaction"}
