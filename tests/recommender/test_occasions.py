"""What is no song, what is for a season, and what is too rude for a public place."""

from datetime import date
from typing import cast

import pytest

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.filters import Filters
from services.recommender.choice.seasons import DEFAULT, NAMES, in_season
from services.recommender.report.oddities import find_oddities, oddity_table
from tests.support.random_songs import table


def odd(**changes: object) -> bool:
    frame = table(3).assign(title="A song", genre="pop", speechiness=0.05, duration_ms=200_000)
    for name, value in changes.items():
        frame[name] = frame[name].astype(object)
        frame.loc[1, name] = cast("str", value)
    songs = Catalogue(frame.infer_objects())
    mask = Filters().mask(songs)
    assert mask.sum() >= 2
    assert Filters(oddities=True).mask(songs).all()
    return not mask[songs.position(frame["id"][1])]


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_ms": 10_000},
        {"title": "Intro", "duration_ms": 70_000},
        {"title": "The Way Down - Interlude", "duration_ms": 90_000},
        {"title": "Telephone (Skit)", "duration_ms": 80_000},
        {"speechiness": 0.9},
        {"title": "Kapitel 12 - Das Haus am See"},
        {"title": "Hello (Karaoke Version)"},
        {"title": "Hello (Originally Performed by Adele)"},
        {"artist": "Party Tyme Karaoke"},
        {"title": "White Noise for Babies"},
    ],
)
def test_what_is_no_song_is_not_offered(changes: dict[str, object]) -> None:
    assert odd(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Introduction to Love"},
        {"title": "Intro", "duration_ms": 260_000},
        {"speechiness": 0.7, "genre": "hip hop"},
        {"title": "Silence"},
        {"title": "Skitter"},
        {"title": "Chapter of My Life"},
    ],
)
def test_songs_that_only_look_odd_stay(changes: dict[str, object]) -> None:
    assert not odd(**changes)


@pytest.mark.parametrize(
    ("title", "season"),
    [
        ("Last Christmas", "christmas"),
        ("Santa Baby", "christmas"),
        ("Stille Nacht, heilige Nacht", "christmas"),
        ("Let It Snow! Let It Snow!", "christmas"),
        ("Noël blanc", "christmas"),
        ("Monster Mash", "halloween"),
        ("Auld Lang Syne", "new-year"),
        ("Easter Parade", "easter"),
        ("Santa Monica Dream", None),
        ("Noelle", None),
        ("Joyride", None),
    ],
)
def test_songs_of_a_season_are_heard_in_season(title: str, season: str | None) -> None:
    songs = Catalogue(table(2).assign(title=title))
    for now in NAMES:
        assert Filters(seasons=frozenset({now})).mask(songs).all() == (season in {None, now})
    assert Filters(seasons=None).mask(songs).all()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 7, 1), set()),
        (date(2026, 11, 24), set()),
        (date(2026, 11, 25), {"christmas"}),
        (date(2026, 12, 30), {"christmas", "new-year"}),
        (date(2027, 1, 6), {"christmas"}),
        (date(2026, 10, 31), {"halloween"}),
        (date(2028, 2, 29), set()),
    ],
)
def test_seasons_run_over_the_end_of_the_year(day: date, expected: frozenset[str]) -> None:
    assert in_season(DEFAULT, day) == expected
    assert in_season(" Always ", day) is None
    assert in_season("", day) == frozenset()


@pytest.mark.parametrize("text", ["christmas", "christmas:12-24", "summer:06-01..08-31", "easter:02-30..04-01"])
def test_seasons_that_make_no_sense_are_one_clear_line(text: str) -> None:
    with pytest.raises(MoodstreamError, match=r"^MOODSTREAM_SEASONS: "):
        in_season(text, date(2026, 7, 1))


def test_rude_titles_are_explicit_whatever_the_table_says() -> None:
    titles = ["Bad Ass Bitches", "F**k You", "Bullshit", "Assassin", "Classic Cocktail", "Hitchhiker"]
    songs = Catalogue(table(6).assign(title=titles, explicit=-1))
    passed = Filters(explicit=False).mask(songs)
    assert set(songs.frame["title"][passed]) == set(titles[3:])
    assert Filters().mask(songs).all()


def test_the_report_names_what_is_not_offered() -> None:
    titles = ["A song", "Intro", "Last Christmas", "<b>Intro</b> (Skit)"]
    songs = Catalogue(table(4).assign(title=titles, artist="Somebody", duration_ms=90_000))
    found = {one.kind: one for one in find_oddities(songs)}
    assert {kind: one.count for kind, one in found.items()} == {"intro": 2, "season christmas": 1}
    assert found["season christmas"].examples == ("Last Christmas - Somebody",)
    shown = oddity_table(list(found.values()))
    assert shown["kind"].tolist() == list(found)
    assert shown["such as"].str.contains("<b>Intro</b> (Skit)", regex=False).any()
