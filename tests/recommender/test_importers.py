"""Tables in all layouts become the same songs; every row that does not is counted."""

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.importers import ImportOptions, import_songs
from services.recommender.catalogue.table import NUMBERS, Catalogue
from tests.support.random_songs import table

RENAMED = {
    "catalogue": {},
    "reference": {"id": "track_id"},
    "article": {"title": "song_name"},
    "tidytuesday": {"id": "track_id", "title": "track_name", "artist": "track_artist", "genre": "playlist_genre"},
    "kaggle": {"id": "track_id", "title": "track_name", "artist": "artists", "genre": "track_genre"},
    "million": {"title": "name", "artist": "artists"},
}
MORE: dict[str, dict[str, Any]] = {
    "article": {"track_href": "x", "analysis_url": "x", "type": "audio_features", "title": "", "Unnamed: 0": ""},
    "tidytuesday": {
        "playlist_id": "x",
        "playlist_subgenre": "x",
        "track_album_release_date": "2019-06-14",
    },
    "kaggle": {"album_name": "x", "popularity": 5, "explicit": False},
    "million": {"album": "x", "album_id": "x", "artist_ids": "['x']", "release_date": "1999-11-02", "disc_number": 1},
}
SAID: dict[str, dict[str, int]] = {"kaggle": {"explicit": 0}, "million": {"year": 1999}, "tidytuesday": {"year": 2019}}
LACKING = {"article": ["artist"], "million": ["genre", "uri"], "kaggle": ["uri"], "tidytuesday": ["uri"]}


def laid_out(songs: pd.DataFrame, layout: str) -> pd.DataFrame:
    """The songs as a table of another layout has them."""
    songs = songs.drop(columns=LACKING.get(layout, [])).rename(columns=RENAMED[layout])
    if layout == "million":
        songs["artists"] = [str([artist]) for artist in songs["artists"]]
    return songs.assign(**MORE.get(layout, {}))


def write(path: Path, songs: pd.DataFrame) -> Path:
    if path.suffix == ".parquet":
        songs.to_parquet(path, index=False)
    else:
        songs.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["songs.csv", "songs.csv.gz", "songs.parquet"])
@pytest.mark.parametrize("layout", RENAMED)
def test_every_layout_gives_the_same_songs(tmp_path: Path, layout: str, name: str) -> None:
    songs = table(40)
    found, report = import_songs(write(tmp_path / name, laid_out(songs, layout)))
    expected = songs.copy()
    expected[[text for text in LACKING.get(layout, []) if text != "uri"]] = ""
    expected = expected.assign(**SAID.get(layout, {}))
    pd.testing.assert_frame_equal(found.frame, Catalogue(expected).frame)
    assert report.layout == ("catalogue" if layout == "reference" else layout)
    assert (report.rows, report.kept, report.dropped) == (40, 40, {})


def test_columns_of_a_table_of_ones_own_are_named(tmp_path: Path) -> None:
    songs = table(20)
    own = songs.rename(columns={"id": "nr", "title": "name of it", "tempo": "bpm"}).drop(columns=["artist", "genre"])
    path = write(tmp_path / "own.csv", own.assign(explicit="yes", year=1987))
    found, report = import_songs(path, ImportOptions({"id": "nr", "title": "name of it", "tempo": "bpm"}))
    expected = Catalogue(songs.assign(artist="", genre="", explicit=1, year=1987))
    pd.testing.assert_frame_equal(found.frame, expected.frame)
    assert report.layout == "generic"
    for columns, fault in (
        ({"id": "nothing"}, "has no column nothing"),
        ({"taste": "nr"}, "songs have no taste"),
        ({"id": "nr"}, "no heading is known to mean title; perhaps title=name of it"),
    ):
        with pytest.raises(MoodstreamError, match=fault):
            import_songs(path, ImportOptions(columns))


def test_the_report_says_the_same_as_text_json_and_page(tmp_path: Path) -> None:
    songs = table(30)
    songs.loc[3, "tempo"] = 0
    _, report = import_songs(write(tmp_path / "songs.csv", songs))
    assert report.as_dict()["dropped"] == {"tempo is 0: Spotify heard no beat": 1}
    for text in (report.as_text(), report.as_html()):
        assert "30 rows" in text
        assert "tempo is 0" in text
    assert "http" not in report.as_html()


def test_importing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "songs.csv", pd.concat([table(30), table(30, seed=1)]))
    files = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    for file in files:
        import_songs(path)[0].save(file)
    assert files[0].read_bytes() == files[1].read_bytes()
    again, report = import_songs(files[0])
    again.save(files[1])
    assert files[0].read_bytes() == files[1].read_bytes()
    assert report.dropped == {}


SPOILT: dict[int, dict[str, Any]] = {
    0: {"valence": ""},
    1: {"energy": "loud", "tempo": 0},
    2: {"danceability": 1.2},
    3: {"tempo": 0},
    4: {"id": " "},
    5: {"title": ""},
    8: {"title": "  SAME song", "artist": "Artist"},
    9: {"title": "Same Song", "artist": "artist "},
    10: {"key": 3.5},
    11: {"loudness": "-inf"},
    12: {"title": "None"},
    13: {"title": "NA"},
}


def test_every_bad_row_is_counted_under_its_reason(tmp_path: Path) -> None:
    songs = table(20).astype("object")
    for row, cells in SPOILT.items():
        for column, cell in cells.items():
            songs.at[row, column] = cell
    songs.at[6, "id"] = str(songs.at[7, "id"])
    found, report = import_songs(write(tmp_path / "songs.csv", songs))
    assert report.dropped == {
        "danceability is not in 0..1": 1,
        "energy is not a number": 1,
        "key is not a whole number": 1,
        "loudness is not in -60..10": 1,
        "valence is missing": 1,
        "tempo is 0: Spotify heard no beat": 1,
        "no id": 1,
        "no title": 1,
        "the id of an earlier row": 1,
        "the title and artist of an earlier row": 1,
    }
    assert (report.rows, report.kept, len(found)) == (20, 10, 10)
    assert {"None", "NA"} <= set(found.frame["title"])
    assert report.as_dict()["dropped"] == report.dropped
    assert "20 rows, 10 kept, 10 dropped" in report.as_text().splitlines()[0]
    assert "1  no title" in report.as_text()


def test_all_versions_stay_where_every_id_must_be_known(tmp_path: Path) -> None:
    songs = table(10)
    for name in ("title", "artist"):
        songs.at[3, name] = str(songs.at[4, name])
    path = write(tmp_path / "songs.csv", songs)
    assert import_songs(path)[1].kept == 9
    assert import_songs(path, ImportOptions(one_version=False))[1].kept == 10


def test_without_artists_equal_titles_are_different_songs(tmp_path: Path) -> None:
    songs = laid_out(table(10).assign(title="Intro"), "article")
    songs.loc[0, ["song_name", "title"]] = ["", "from the other column"]
    found, report = import_songs(write(tmp_path / "songs.csv", songs))
    assert report.kept == 10
    assert "no artists" in report.notes[0]
    assert "from the other column" in set(found.frame["title"])


def test_several_artists_of_a_list_stand_in_the_catalogues_way(tmp_path: Path) -> None:
    songs = laid_out(table(5), "million")
    songs["artists"] = ["[\"Guns N' Roses\", 'A, B']", "['One']", "[]", "[broken", "7"]
    found, _ = import_songs(write(tmp_path / "songs.csv", songs))
    assert set(found.frame["artist"]) == {"Guns N' Roses;A, B", "One", "", "[broken", "7"}


def test_a_table_without_ids_gets_them_from_its_numbers(tmp_path: Path) -> None:
    songs = table(30).drop(columns=["id", "title", "artist", "uri", "loudness", "instrumentalness"])
    twice = pd.concat([songs, songs[:7].assign(genre="another")])
    found, report = import_songs(write(tmp_path / "songs.csv", twice))
    assert (report.layout, report.rows, report.kept) == ("numeric", 37, 30)
    assert report.dropped == {"the numbers of an earlier row": 7}
    assert "loudness and instrumentalness" in report.notes[0]
    assert "cannot be played" in report.notes[1]
    assert found.frame["loudness"].nunique() == 1
    assert set(found.frame["uri"]) == {""}
    shuffled, _ = import_songs(write(tmp_path / "shuffled.csv", songs[::-1]))
    pd.testing.assert_frame_equal(shuffled.frame, found.frame)


def test_ids_of_others_than_spotify_have_no_address(tmp_path: Path) -> None:
    songs = table(6).drop(columns="uri").assign(id=[*"abcde", "2Vc6NJ9PW9gD9q343XFRKx"])
    found, report = import_songs(write(tmp_path / "songs.csv", songs))
    assert found.song(found.position("a")).uri is None
    assert found.song(found.position("2Vc6NJ9PW9gD9q343XFRKx")).uri == "spotify:track:2Vc6NJ9PW9gD9q343XFRKx"
    assert report.notes == ("5 songs have no Spotify address",)


@pytest.mark.parametrize("column", [*NUMBERS, "title", "artist"])
@pytest.mark.parametrize("layout", ["catalogue", "reference", "tidytuesday", "kaggle", "million"])
def test_a_needed_column_that_is_not_there_is_named(tmp_path: Path, layout: str, column: str) -> None:
    songs = laid_out(table(5), layout)
    path = write(tmp_path / "songs.csv", songs.drop(columns=RENAMED[layout].get(column, column)))
    with pytest.raises(
        MoodstreamError, match=rf"songs.csv: (it lacks the column|no heading is known to mean) {column}\b"
    ) as error:
        import_songs(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("columns", [["valence"], ["song_name", "title"], ["loudness"]])
def test_so_it_is_in_the_articles_table(tmp_path: Path, columns: list[str]) -> None:
    songs = laid_out(table(5), "article").drop(columns=columns)
    with pytest.raises(MoodstreamError, match=f"it lacks the column {columns[-1]}"):
        import_songs(write(tmp_path / "songs.csv", songs))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "No columns"),
        (b"\n\n", "No columns"),
        (b"nothing,known\n1,2\n", "lacks the columns"),
        (b"\x1f\x8b but not gzip", "cannot read"),
        (gzip.compress(table(50).to_csv(index=False).encode())[:900], "cannot read"),
        (b"PAR1 but not parquet", "cannot read"),
        (table(3).to_csv(index=False).encode().splitlines(keepends=True)[0], "no song is left .the table is empty"),
        (table(3).assign(energy=800).to_csv(index=False).encode(), "no song is left .energy is not in 0..1: 3"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "songs.csv"
    path.write_bytes(content)
    with pytest.raises(MoodstreamError, match=fault) as error:
        import_songs(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_file_and_a_folder_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match=r"no file .*nowhere.csv"):
        import_songs(tmp_path / "nowhere.csv")
    with pytest.raises(MoodstreamError, match="Is a directory"):
        import_songs(tmp_path)


def test_lines_with_too_many_cells_are_counted_and_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    lines = table(10).to_csv(index=False).splitlines()
    lines[4] += ",7,8,9"
    lines[6] = lines[6].rpartition(",")[0]
    path = tmp_path / "songs.csv"
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    report = import_songs(path)[1]
    assert report.dropped == {"duration_ms is missing": 1, "more cells than columns": 1}
    assert (report.rows, report.kept) == (10, 8)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    spoilt=st.lists(
        st.tuples(
            st.integers(0, 29),
            st.sampled_from(("id", "title", "artist", *NUMBERS)),
            st.sampled_from(("", "NaN", "x", "-5", "1e9", "0", "0.5", "Song 00007")),
        ),
        max_size=40,
    )
)
def test_no_row_is_lost_without_a_reason(
    tmp_path_factory: pytest.TempPathFactory, spoilt: list[tuple[int, str, str]]
) -> None:
    songs = table(40).astype("object")
    for row, column, cell in spoilt:
        songs.at[row, column] = cell
    found, report = import_songs(write(tmp_path_factory.mktemp("spoilt") / "songs.csv", songs))
    assert report.rows == 40 == report.kept + sum(report.dropped.values())
    assert report.kept == len(found)
    untouched = set(songs["id"][30:])
    assert len(untouched & set(found.frame["id"])) >= 10 - sum(
        column in ("id", "title", "artist") for _, column, _ in spoilt
    )
