"""Five songs at random, each by another artist where possible."""

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.recommender.choice.sampling import draw_songs, fit_weights, limit_per_artist, one_per_artist

CAUSE = "5f0c7e51-1f7a-4c1e-9a57-0d3f5d3c2b1a"


@given(
    artists=st.lists(st.sampled_from(["", "a", "A", "b", "c", "d", "e", "f"]), max_size=40),
    cause=st.uuids(),
    count=st.integers(1, 7),
)
def test_as_many_artists_as_there_can_be(artists: list[str], cause: UUID, count: int) -> None:
    songs = list(range(100, 100 + len(artists)))

    def artist(song: int) -> str:
        return artists[song - 100]

    drawn = draw_songs(songs, artist, str(cause), count)
    assert drawn == draw_songs(songs, artist, str(cause), count)
    assert len(set(drawn)) == len(drawn) == min(count, len(songs))
    assert set(drawn) <= set(songs)
    different = len({name.casefold() for name in artists if name}) + artists.count("")
    found = {artist(song).casefold() or str(song) for song in drawn}
    assert len(found) == min(count, different)


def test_another_cause_draws_others_and_all_songs_have_their_turn() -> None:
    songs = list(range(30))
    draws = [draw_songs(songs, str, str(UUID(int=number))) for number in range(300)]
    assert len({tuple(drawn) for drawn in draws}) > 290
    counts = [sum(song in drawn for drawn in draws) for song in songs]
    assert min(counts) > 20  # 50 on average
    assert max(counts) < 90


def test_one_artist_of_nearly_all_songs_does_not_fill_the_offer() -> None:
    rare = {17, 2_345, 4_321, 9_999}
    drawn = draw_songs(range(10_000), lambda song: str(song) if song in rare else "everywhere", CAUSE)
    assert rare < set(drawn)
    assert len(drawn) == 5


def test_what_fits_twice_as_well_is_drawn_more_often_and_the_rest_has_its_turn() -> None:
    songs, memberships = list(range(40)), np.repeat([0.9, 0.7, 0.5, 0.35], 10)
    weights = fit_weights(memberships)
    draws = [draw_songs(songs, str, str(UUID(int=number)), weights=weights) for number in range(400)]
    assert draws[0] == draw_songs(songs, str, str(UUID(int=0)), weights=weights)
    counts = np.bincount(np.concatenate(draws), minlength=40).reshape(4, 10).sum(axis=1)
    assert (np.diff(counts) < 0).all()
    assert len({tuple(drawn) for drawn in draws}) > 390
    assert len(set(np.concatenate(draws).tolist())) > 25


def test_an_artist_stands_as_often_as_allowed() -> None:
    artists = ["a", "b", "A", "", "a", "", "c", "b", "b"]
    assert limit_per_artist(range(9), artists.__getitem__, 2) == [0, 1, 2, 3, 5, 6, 7]
    assert limit_per_artist(range(9), artists.__getitem__, 2, before="a") == [0, 1, 3, 5, 6, 7]
    assert one_per_artist(range(9), artists.__getitem__) == [0, 1, 3, 5, 6]
