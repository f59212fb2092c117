"""Rankings are exact: they equal the plain sum, sorted by similarity and then by id."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import FEATURES, Catalogue, Floats
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.choice.ranking import RANKINGS, Maker, Similarity
from services.recommender.choice.reasons import Reasons
from services.recommender.models.vectors import Embedding
from tests.support.random_songs import catalogue, table


def maker(songs: Catalogue, name: Similarity) -> Maker:
    embedding = Embedding.load()
    return RANKINGS[name](songs, embedding.points(songs.inputs), embedding.typical)


def plain(songs: Catalogue, name: str, position: int) -> Floats:
    """Similarities of all songs to one, in the plainest way."""
    if name == "learned":
        embedding = Embedding.load()
        points = embedding.points(songs.inputs)
        return np.array([0.5 ** (sum((point - points[position]) ** 2) / embedding.typical) for point in points])
    if name == "standardised":
        values = songs.features
        points = (values - values.mean(axis=0)) / np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
        return np.array([0.5 ** (sum((point - points[position]) ** 2) / 22) for point in points])
    plane = songs.frame[["valence", "energy"]].to_numpy()
    lengths = np.sqrt((plane**2).sum(axis=1))
    products = (plane * plane[position]).sum(axis=1)
    return np.array(
        [
            product / (length * lengths[position]) if product else 0
            for product, length in zip(products, lengths, strict=True)
        ]
    )


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(RANKINGS)),
    seed=st.integers(0, 5),
    position=st.integers(0, 119),
    count=st.integers(0, 130),
    every=st.integers(1, 3),
    coarse=st.booleans(),
)
def test_equal_to_the_plain_sum(
    name: Similarity, seed: int, position: int, count: int, every: int, coarse: bool
) -> None:
    frame = table(120, seed)
    if coarse:  # so that many songs are equally similar
        frame[list(FEATURES)] = frame[list(FEATURES)].round(0)
    songs = Catalogue(frame)
    candidates = np.arange(0, 120, every)
    found, similarities = maker(songs, name)(candidates).nearest(position, count)
    expected = plain(songs, name, position)
    others = [other for other in candidates.tolist() if other != position]
    order = sorted(others, key=lambda other: (-round(float(expected[other]), 9), other))[: count or None]
    assert len(found) == len(order)
    np.testing.assert_allclose(similarities, expected[order], atol=1e-9)
    np.testing.assert_allclose(similarities, expected[found], atol=1e-9)
    assert ((similarities >= 0) & (similarities <= 1)).all()
    printed = list(zip((-similarities).tolist(), found.tolist(), strict=True))
    assert printed == sorted(printed)


def test_equal_songs_are_similar_by_1_and_stand_by_id() -> None:
    songs = table(60)
    numbers = [*FEATURES, "duration_ms"]
    songs.loc[10:19, numbers] = songs.loc[10, numbers].to_numpy()
    equal = sorted(songs["id"][10:20])
    for name in RANKINGS:
        ranking = Library.build(Catalogue(songs), LibraryOptions(name)).similar(equal[4], 9)
        assert [songs["id"].sort_values().tolist()[match.position] for match in ranking] == equal[:4] + equal[5:]
        assert {match.similarity for match in ranking} == {1.0}


@pytest.mark.parametrize("count", [60, 997])
@pytest.mark.parametrize("name", sorted(RANKINGS))
def test_songs_that_are_equally_similar_to_another_stand_by_id(name: Similarity, count: int) -> None:
    songs = table(count)
    numbers = [*FEATURES, "duration_ms"]
    songs.loc[10:39, numbers] = songs.loc[10, numbers].to_numpy()
    equal = sorted(songs["id"][10:40])
    library = Library.build(Catalogue(songs), LibraryOptions(name))
    ranking = [library.catalogue.frame["id"][match.position] for match in library.similar(songs["id"][0], 0)]
    first = ranking.index(equal[0])
    assert ranking[first : first + 30] == equal


def test_the_articles_cosine_compares_directions_only() -> None:
    songs = table(20)
    songs.loc[0, ["valence", "energy"]] = [0.2, 0.4]
    songs.loc[1, ["valence", "energy"]] = [0.45, 0.9]
    songs.loc[2, ["valence", "energy"]] = [0.0, 0.0]
    found = Catalogue(songs)
    matches = {
        match.position: match.similarity
        for match in Library.build(found, LibraryOptions("article")).similar(songs["id"][0], 0)
    }
    assert matches[found.position(songs["id"][1])] == 1
    assert matches[found.position(songs["id"][2])] == 0


@pytest.mark.parametrize("name", sorted(RANKINGS))
def test_within_a_mood_only_its_songs_are_ranked(name: Similarity) -> None:
    library = Library.build(catalogue(300), LibraryOptions(name))
    for mood in MOODS:
        outsider = library.catalogue.frame["id"][int(np.flatnonzero(library.moods.codes != MOODS.index(mood))[0])]
        matches = library.similar(outsider, 0, mood)
        assert {match.position for match in matches} == set(library.moods.positions(mood).tolist())
        assert [match.position for match in library.similar(outsider, 5, mood)] == [
            match.position for match in matches[:5]
        ]


def test_an_unknown_song_is_one_clear_line() -> None:
    with pytest.raises(MoodstreamError, match="no song with the id 'nothing'"):
        Library.build(catalogue(20)).similar("nothing", 3)


def features(**changes: float) -> dict[str, float]:
    """Standard deviations above the catalogue's mean, 0 unless told."""
    return dict.fromkeys(FEATURES, 0.0) | changes


@pytest.mark.parametrize(
    ("other", "sentence", "compared"),
    [
        (
            features(),
            "Same drive, tempo and brightness, and alike in all else.",
            ["energy alike", "tempo alike", "valence alike"],
        ),
        (
            features(valence=0.6),
            "Same drive and tempo, a little brighter.",
            ["energy alike", "tempo alike", "valence little more"],
        ),
        (
            features(energy=-1.5, tempo=0.5),
            "Same brightness and groove, clearly gentler.",
            ["valence alike", "danceability alike", "energy clear less"],
        ),
        (
            features(tempo=-3, acousticness=2),
            "Same drive and brightness, much slower.",
            ["energy alike", "valence alike", "tempo much less"],
        ),
        (
            features(energy=1, tempo=0.4, valence=0.9, danceability=0.9, acousticness=-2.5, speechiness=1),
            "Nearest in tempo, much less acoustic.",
            ["tempo nearest", "acousticness much less"],
        ),
        (
            features(energy=1, tempo=0.1, valence=0.9, danceability=0.9, acousticness=0.8, speechiness=0.7),
            "Same tempo, clearly more driving.",
            ["tempo alike", "energy clear more"],
        ),
    ],
)
def test_the_reason_says_what_people_hear_in_words_and_in_codes(
    other: dict[str, float], sentence: str, compared: list[str]
) -> None:
    # Two songs at the mean and 1 off it on either side, many times, make a catalogue of mean 0 and deviation 1.
    songs = table(1002).drop(columns=list(FEATURES)).sort_values("id", ignore_index=True)
    values = np.tile([[1.0], [-1.0]], (501, len(FEATURES)))
    values[0], values[1] = 0, [other[name] for name in FEATURES]
    songs[list(FEATURES)] = values
    songs[["key", "mode"]] = songs[["key", "mode"]].round()
    [reason] = Reasons(Catalogue(songs).standardised).between(0, np.array([1]))
    assert reason.sentence == sentence
    said = [f"{one.trait} {one.degree} {one.direction or ''}".rstrip() for one in reason.compared]
    assert said == compared
