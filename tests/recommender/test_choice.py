"""What a site, a goal and a visitor ask for: filters, paths, preferences."""

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from benchmarks.songs import one_listener
from moodstream.contracts.moods import COORDINATES, MOODS, Mood
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import FEATURES, Catalogue
from services.recommender.choice.after_history import MAX_PER_ARTIST
from services.recommender.choice.filters import Filters, read_list
from services.recommender.choice.goals import Limits, find_path, waypoints
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.choice.preferences import MAX_SHIFT, Preferences, reorder
from services.recommender.choice.sampling import OFFERED, SURE_MARGIN
from tests.support.random_songs import catalogue, table

ANYWHERE = np.zeros(300, bool)
CAUSE = "5f0c7e51-1f7a-4c1e-9a57-0d3f5d3c2b1a"


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.build(catalogue(600), LibraryOptions(method="quadrant"))


def test_songs_come_with_their_place_and_length(library: Library) -> None:
    songs = [*library.offer(Mood.SAD, CAUSE).songs]
    songs += [entry.song for entry in library.ranked(songs[0].id, 3)]
    songs += library.path(songs[0].id, "lift", Mood.SAD, 3, Limits())
    for song in songs:
        at = library.catalogue.position(song.id)
        assert song.valence == pytest.approx(library.moods.valence[at], abs=1e-4)
        assert song.arousal == pytest.approx(library.moods.arousal[at], abs=1e-4)
        assert song.duration_ms == library.catalogue.frame["duration_ms"][at]


def test_filters_let_through_what_they_say_and_what_nobody_knows() -> None:
    songs = table(5).assign(explicit=[1, 0, -1, 0, 0], year=[1999, 1980, 0, 2001, 1999], genre="pop")
    songs.loc[4, ["genre", "artist"]] = ["Rock", "Somebody;Else"]
    found = Catalogue(songs)

    def passed(filters: Filters) -> set[int]:
        ids = set(found.frame["id"][filters.mask(found)])
        return {row for row, song_id in enumerate(songs["id"]) if song_id in ids}

    assert passed(Filters()) == {0, 1, 2, 3, 4}
    assert passed(Filters(explicit=False)) == {1, 2, 3, 4}
    assert passed(Filters(year_from=1990, year_to=2000)) == {0, 2, 4}
    assert passed(Filters(genres=frozenset({"ROCK"}))) == {4}
    assert passed(Filters(allowed=frozenset({songs["id"][1], "else"}))) == {1, 4}
    assert passed(Filters(blocked=frozenset({songs["id"][1], "Somebody"}))) == {0, 2, 3}


def test_lists_are_files_with_a_song_or_artist_a_line(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("# never\nSomebody\n\n  abc  \n")
    assert read_list(tmp_path / "list") == frozenset({"Somebody", "abc"})
    assert read_list(None) is None
    with pytest.raises(MoodstreamError, match="cannot read the list"):
        read_list(tmp_path / "nothing")


def test_filtered_songs_are_neither_offered_nor_ranked_and_the_nearest_moods_fill_up() -> None:
    songs = table(300)
    whole = Library.build(Catalogue(songs), LibraryOptions(method="quadrant"))
    sad = [whole.catalogue.frame["id"][at] for at in whole.moods.positions(Mood.SAD)]
    some = Library.build(
        Catalogue(songs), LibraryOptions(method="quadrant", filters=Filters(blocked=frozenset(sad[2:])))
    )
    offered = some.offer(Mood.SAD, CAUSE)
    assert {song.id for song in offered.songs[:2]} == set(sad[:2])
    assert len(offered.songs) == OFFERED
    assert offered.filled
    assert Mood.SAD not in offered.filled
    assert not {song.id for song in offered.songs} & set(sad[2:])
    assert whole.offer(Mood.SAD, CAUSE).filled == ()
    ranked = {some.catalogue.frame["id"][match.position] for match in some.similar(sad[0], 0)}
    assert not ranked & set(sad[2:])
    filled = [some.catalogue.position(song.id) for song in offered.songs[2:]]
    memberships = some.moods.memberships[:, MOODS.index(Mood.SAD)]
    others = some.allowed & (some.moods.codes != MOODS.index(Mood.SAD))
    assert min(memberships[filled]) >= np.sort(memberships[others])[-20]


def test_filters_that_leave_nothing_are_one_clear_line() -> None:
    with pytest.raises(MoodstreamError, match="leave no song"):
        Library.build(catalogue(20), LibraryOptions(filters=Filters(allowed=frozenset())))


def test_what_played_lately_is_not_offered_while_there_is_anything_else(library: Library) -> None:
    happy = [library.catalogue.frame["id"][at] for at in library.moods.positions(Mood.HAPPY)]
    recently_played = set(happy[5:])
    assert {song.id for song in library.offer(Mood.HAPPY, CAUSE, recently_played).songs} <= set(happy[:5]) | (
        set(library.catalogue.frame["id"]) - set(happy)
    )
    everything = set(library.catalogue.frame["id"])
    assert len(library.offer(Mood.HAPPY, CAUSE, everything).songs) == OFFERED


@pytest.mark.parametrize("start", MOODS)
@pytest.mark.parametrize("goal", ["lift", "calm"])
def test_a_path_leads_from_the_mood_to_the_goal_little_by_little(library: Library, start: Mood, goal: str) -> None:
    end = np.array(COORDINATES[Mood.HAPPY if goal == "lift" else Mood.CALM])
    song = library.catalogue.frame["id"][int(library.moods.positions(start)[0])]
    songs = library.path(song, goal, start, 8, Limits())  # type: ignore[arg-type]
    assert len({one.id for one in songs}) == 8
    points = library.moods.plane[[library.catalogue.position(one.id) for one in songs]]
    goal_mood = Mood.HAPPY if goal == "lift" else Mood.CALM
    moods = [library.moods.mood(library.catalogue.position(one.id)) for one in songs]
    assert set(moods) <= {start, goal_mood}
    assert moods == sorted(moods, key=lambda mood: mood == goal_mood)
    distances = np.linalg.norm(points - 0.5 * end, axis=1)
    assert distances[-1] < 0.45
    if np.linalg.norm(np.array(COORDINATES[start]) - end) > 0.1:
        assert distances[-1] < distances[0]
    wanted = waypoints(goal, start, 8, Limits())  # type: ignore[arg-type]
    assert np.linalg.norm(points - wanted, axis=1).mean() < 0.35


def test_operators_limit_a_path() -> None:
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (300, 2))
    rows = find_path("lift", Mood.SAD, points, np.ones(300), ANYWHERE, 10, Limits(max_arousal=0.1))
    assert len(rows) == 10
    assert points[rows, 1].max() <= 0.1
    steps = np.diff(waypoints("lift", Mood.SAD, 3, Limits(max_step=0.05)), axis=0)
    assert np.linalg.norm(steps, axis=1).max() <= 0.05 + 1e-9
    assert len(find_path("calm", Mood.HAPPY, points[:4], np.ones(4), ANYWHERE[:4], 10, Limits())) == 4
    assert len(find_path("calm", Mood.HAPPY, points, np.ones(300), ANYWHERE, 10, Limits(max_arousal=-1.0))) == 0


def test_preferences_change_the_order_and_nothing_else(library: Library) -> None:
    ids = library.catalogue.frame["id"]
    plain = library.similar(ids[0], 50)
    liked = ids[plain[30].position]
    preferences = Preferences(likes=(liked,), skips=(ids[plain[0].position],))
    changed = library.similar(ids[0], 50, preferences=preferences)
    assert {match.position for match in changed} == {match.position for match in plain}
    assert {match.position: match.similarity for match in changed} == {
        match.position: match.similarity for match in plain
    }
    ranks = [
        [match.position for match in ranking].index(library.catalogue.position(liked)) for ranking in (plain, changed)
    ]
    assert ranks[1] < ranks[0]
    assert [match.position for match in library.similar(ids[0], 50, preferences=Preferences(likes=("gone",)))] == [
        match.position for match in plain
    ]


def test_preferences_are_bounded() -> None:
    similarities = np.array([0.9, 0.9 - 2.1 * MAX_SHIFT, 0.3])
    np.testing.assert_array_equal(reorder(similarities, np.array([-1.0, 1.0, 1.0])), [0, 1, 2])
    np.testing.assert_array_equal(reorder(np.array([0.5, 0.45]), np.array([-1.0, 1.0])), [1, 0])


def test_a_song_of_the_wrong_mood_is_not_offered_for_it_again(library: Library) -> None:
    offered = library.offer(Mood.CALM, CAUSE)
    wrong = frozenset((song.id, Mood.CALM) for song in offered.songs)
    again = library.offer(Mood.CALM, CAUSE, preferences=Preferences(wrong=wrong))
    assert not {song.id for song in offered.songs} & {song.id for song in again.songs}
    assert (
        library.offer(Mood.CALM, CAUSE, preferences=Preferences(wrong=frozenset({(offered.songs[0].id, Mood.SAD)})))
        == offered
    )


@pytest.mark.slow
@pytest.mark.parametrize(("consistent", "least"), [(True, 1.03), (False, 0.98)])
def test_feedback_helps_listeners_with_a_taste_and_does_not_hurt_fickle_ones(consistent: bool, least: float) -> None:
    library = Library.build(catalogue(2_000), LibraryOptions(method="quadrant"))
    random = np.random.default_rng(0)
    gains = np.array([one_listener(library, random, consistent) for _ in range(150)])
    assert gains.mean(axis=0)[0] > least
    assert gains.mean(axis=0)[1] > 0.98


def test_songs_at_the_border_are_offered_only_where_too_few_others_are_left(library: Library) -> None:
    margins = library.moods.margins
    for mood in MOODS:
        own = library.moods.positions(mood)
        for number in range(20):
            offered = [library.catalogue.position(song.id) for song in library.offer(mood, str(UUID(int=number))).songs]
            assert margins[offered].min() >= SURE_MARGIN
        sure = [library.catalogue.frame["id"][at] for at in own[margins[own] >= SURE_MARGIN][2:]]
        offered = [library.catalogue.position(song.id) for song in library.offer(mood, CAUSE, sure).songs]
        assert (margins[offered] < SURE_MARGIN).sum() == 3
        assert {library.moods.mood(at) for at in offered} == {mood}


def test_an_artist_stands_in_a_ranking_twice_at_most() -> None:
    frame = table(300)
    numbers = [*FEATURES, "duration_ms"]
    frame.loc[:19, numbers] = frame.loc[0, numbers].to_numpy()
    frame.loc[:19, "artist"] = "Prolific"
    library = Library.build(Catalogue(frame), LibraryOptions(method="quadrant"))
    ranked = library.ranked(frame["id"][0], 6)
    assert [entry.song.artist for entry in ranked].count("Prolific") == MAX_PER_ARTIST - 1
    assert [entry.similarity for entry in ranked] == sorted((entry.similarity for entry in ranked), reverse=True)
    assert len(ranked) == 6
    other = next(song for song, artist in zip(frame["id"], frame["artist"], strict=True) if artist != "Prolific")
    assert [entry.song.artist for entry in library.ranked(other, 250)].count("Prolific") == MAX_PER_ARTIST
    assert len(library.similar(frame["id"][0], 19)) == 19


def test_no_question_waits_for_what_could_be_worked_out_before() -> None:
    """For a million songs it took eight seconds, in which nobody else was answered."""
    made = Library.build(catalogue(50), LibraryOptions(method="quadrant")).catalogue
    before = set(vars(made))
    made.song(0), made.artist(0), made.position(str(made.frame["id"][0]))
    assert set(vars(made)) == before
