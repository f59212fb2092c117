"""Moods that the operator knows better: they count everywhere, and what makes no sense is one line."""

import pytest

from moodstream.contracts.moods import Mood
from moodstream.errors import SettingError
from services.recommender.choice.library import Library, LibraryOptions
from services.recommender.models.corrections import parse_corrections
from tests.support.random_songs import catalogue as random_songs


def test_a_corrected_song_is_offered_and_described_as_what_it_is() -> None:
    catalogue = random_songs(200)
    plain = Library.build(catalogue)
    song = str(catalogue.frame["id"].iat[7])
    before = plain.moods.mood(7)
    other = next(mood for mood in (Mood.ANGRY, Mood.HAPPY, Mood.SAD, Mood.CALM) if mood != before)
    library = Library.build(catalogue, LibraryOptions(corrected={song: other, "gone": Mood.SAD}))
    assert library.moods.mood(7) == other
    described = library.moods.describe(song, 7)
    assert (described["mood"], described["memberships"][other], described["margin"]) == (other, 1.0, 1.0)
    assert 7 in library.moods.positions(other)
    assert 7 not in library.moods.positions(before)
    ours = library.song(7)
    assert (ours.valence is not None and ours.valence > 0) == (other in (Mood.HAPPY, Mood.CALM))
    assert plain.moods.mood(7) == before, "the library before is not touched"
    rest = [at for at in range(200) if at != 7]
    assert [library.moods.mood(at) for at in rest] == [plain.moods.mood(at) for at in rest]


def test_lines_are_ids_and_moods() -> None:
    text = "# Title, Artist\nX-1 calm\n\n an id with spaces   sad \nX-1 angry\n"
    assert parse_corrections(text) == {"X-1": Mood.ANGRY, "an id with spaces": Mood.SAD}


@pytest.mark.parametrize("line", ["calm", "X-1", "X-1 merry", "X-1 nobody", "X-1:calm"])
def test_a_line_that_is_none_is_said(line: str) -> None:
    with pytest.raises(SettingError, match=r"^MOODSTREAM_CORRECTED: ") as raised:
        parse_corrections(f"A sad\n{line}")
    assert "\n" not in str(raised.value)
