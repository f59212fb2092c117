"""Whether two names mean the same song."""

import pytest

from services.player.programme.matching import bare_title, same_song


@pytest.mark.parametrize(
    ("title", "artist", "other", "artists"),
    [
        ("Harbour", "Ola Verano", "harbour", ["OLA VERANO"]),
        ("Harbour", "Ola Verano", "Harbour (Remastered 2011)", ["Óla Verano"]),
        ("Harbour - 2011 Remaster", "Ola Verano", "Harbour", ["Ola Verano"]),
        ("Harbour (feat. Plum)", "Ola Verano", "Harbour", ["Ola Verano", "Plum"]),
        ("Don't Stop", "A; B", "Dont stop!", ["B"]),
        ("Kites", "A & B", "Kites", ["B feat. C"]),
        ("(Live)", "A", "(live)", ["A"]),
        ("Harbour (2011 Remastered Version)", "A", "Harbour - Single Version", ["A"]),
        ('Harbour (From "The Film")', "A", "Harbour - Original Mix", ["A"]),
        ("Harbour feat. Plum", "A", "Harbour", ["A"]),
        ("Ænima", "T", "Aenima", ["T"]),
        ("Łódź", "Sørensen", "Lodz", ["Sorensen"]),
        ("Straße", "A", "STRASSE", ["A"]),
        ("Beyond\u00e9", "A", "Beyonde\u0301", ["A"]),
        ("Kites & Boats", "The Waves", "Kites and Boats", ["Waves, The"]),
        ("Kites, Pt. 2", "A/B", "Kites Part 2", ["B"]),
        ("Kites", "A vs. B", "Kites", ["A x C"]),
        ("ПОСЛЕ", "A", "Послё", ["A"]),
        ("カガ", "A", "カカ\u3099", ["A"]),
        ("!!!", "!!!", "!!!", ["!!!"]),
    ],
)
def test_the_same(title: str, artist: str, other: str, artists: list[str]) -> None:
    assert same_song(title, artist, other, artists)


@pytest.mark.parametrize(
    ("title", "artist", "other", "artists"),
    [
        ("Harbour", "Ola Verano", "Harbour", ["Somebody Else"]),
        ("Harbour", "Ola Verano", "Harbours", ["Ola Verano"]),
        ("Harbour", "", "Harbour", []),
        ("Harbour", "Ola Verano", "Harbour", []),
        ("Livewire", "A", "Live", ["A"]),
        ("!!!", "A", "???", ["A"]),
        ("が", "A", "か", ["A"]),
        ("май", "A", "маи", ["A"]),
        ("कि", "A", "कु", ["A"]),
        ("Harbour (Night Remix)", "A", "Harbour", ["A"]),
    ],
)
def test_another(title: str, artist: str, other: str, artists: list[str]) -> None:
    assert not same_song(title, artist, other, artists)


def test_a_title_that_is_nothing_but_an_addition_stays() -> None:
    assert bare_title("(Live)") == "(Live)"
