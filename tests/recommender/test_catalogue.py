"""The table of songs and its file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.paths import default_catalogue
from services.recommender.catalogue.table import COLUMNS, FEATURES, Catalogue
from tests.support.random_songs import catalogue, saved, table


def test_what_is_saved_is_loaded_and_old_files_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "catalogue.parquet"
    for seed in (1, 2):
        songs = catalogue(50, seed)
        songs.save(path)
        pd.testing.assert_frame_equal(Catalogue.load(path).frame, songs.frame)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_order_of_the_rows_does_not_matter() -> None:
    songs = table(60)
    pd.testing.assert_frame_equal(Catalogue(songs[::-1]).frame, Catalogue(songs).frame)
    assert Catalogue(songs).frame["id"].is_monotonic_increasing
    assert tuple(Catalogue(songs).frame.columns) == COLUMNS


def test_songs_are_found_and_shown_for_people() -> None:
    songs = table(3)
    songs.loc[1, ["id", "artist", "genre", "uri"]] = ["x", "Dan + Shay;Justin Bieber", "", ""]
    found = Catalogue(songs)
    song = found.song(found.position("x"))
    assert (song.id, song.artist, song.genre, song.uri) == ("x", "Dan + Shay, Justin Bieber", None, None)
    assert found.artist(found.position("x")) == "Dan + Shay"
    with pytest.raises(MoodstreamError, match="no song with the id 'y'"):
        found.position("y")


def test_standardised_features_have_mean_0_and_deviation_1_but_for_constants() -> None:
    songs = table(300)
    songs["loudness"] = -8.1
    points = Catalogue(songs).standardised
    others = [column for column, name in enumerate(FEATURES) if name != "loudness"]
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(points[:, others].std(axis=0), 1)
    assert (points[:, FEATURES.index("loudness")] == 0).all()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "no catalogue at .*songs import FILE"),
        (b"", "lacks the columns|No columns"),
        (b"PAR1 and then nothing of the kind", "cannot read"),
        ("half", "cannot read"),
        ("column", "lacks the columns valence"),
        ("empty", "has no songs"),
        ("twice", "stands twice"),
        ("hole", "a feature is missing"),
        ("text", "a feature is missing"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, content: str | bytes | None, fault: str) -> None:
    path = saved(tmp_path, 30)
    songs = table(30)
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "half":
        path.write_bytes(path.read_bytes()[:3000])
    else:
        {
            "column": lambda: songs.drop(columns="valence"),
            "empty": lambda: songs[:0],
            "twice": lambda: pd.concat([songs, songs[:1]]),
            "hole": lambda: songs.assign(tempo=songs["tempo"].where(songs["tempo"] > 100)),
            "text": lambda: songs.assign(tempo="fast"),
        }[content]().to_parquet(path)
    with pytest.raises(MoodstreamError, match=fault) as error:
        Catalogue.load(path)
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MoodstreamError, match="cannot write the catalogue"):
        catalogue(5).save(tmp_path / "file" / "catalogue.parquet")


def test_the_default_place_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_catalogue() == tmp_path / "moodstream" / "catalogue.parquet"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_catalogue() == Path.home() / ".local/share/moodstream/catalogue.parquet"
