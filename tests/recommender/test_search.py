"""Songs are found by what people type."""

import pytest

from services.recommender.choice.search import SongSearch, fold

SONGS = [
    ("Halo", "Beyoncé"),
    ("Halo of Flies", "Alice Cooper"),
    ("Bohemian Rhapsody - Remastered 2011", "Queen"),
    ("Bohemian Rhapsody", "Queen"),
    ("Hoppípolla", "Sigur Rós"),
    ("Ænima", "TOOL"),
    ("Don't Stop Me Now", "Queen"),
    ("Straße nach nirgendwo", "Łona;Ørsted"),
    ("Hallelujah", "Jeff Buckley"),
    ("22", "Taylor Swift"),
]
SEARCH = SongSearch([title for title, _ in SONGS], [artist for _, artist in SONGS])


@pytest.mark.parametrize(
    ("text", "title", "exact"),
    [
        ("halo", "Halo", True),
        ("beyonce halo", "Halo", True),
        ("HALO   BEYONCÉ", "Halo", True),
        ("beyonse hallo", "Halo", False),
        ("bohemian rapsody", "Bohemian Rhapsody", False),
        ("hoppipola sigur ros", "Hoppípolla", False),
        ("sigur ros hoppi", "Hoppípolla", True),
        ("aenima", "Ænima", True),
        ("dont stop", "Don't Stop Me Now", True),
        ("strasse nach", "Straße nach nirgendwo", True),
        ("lona orsted", "Straße nach nirgendwo", True),
        ("halelujah bukley", "Hallelujah", False),
        ("22", "22", True),
    ],
)
def test_the_song_that_is_meant_comes_first(text: str, title: str, exact: bool) -> None:
    at, all_words = SEARCH.find(text, 3)[0]
    assert (SONGS[at][0], all_words) == (title, exact)


def test_nothing_is_found_for_what_is_like_nothing() -> None:
    assert SEARCH.find("zzzz qqqq", 5) == SEARCH.find(" !? ", 5) == []
    assert len(SEARCH.find("queen", 2)) == 2
    assert fold("  L’été – Ægir!") == "lete aegir"
