"""Files of the user lie where the XDG Base Directory Specification has them, and never where a command was called."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.cli.checks.machine import check_disk
from services.cli.runtime_file import Running, find_running, runtime_file, write_running
from services.player.main import PlayerSettings
from services.recommender.catalogue.paths import default_catalogue
from shared.settings import load
from shared.web.operator import kept_token, make_token

ROOT = Path(__file__).parents[2]
SENSELESS = ["", ".", "relative", "./here", "~/there", None]
"""Values that name no folder for sure; None is a variable that is not set."""


def spotify_token() -> Path:
    return load(PlayerSettings).spotify_token_file


TEMPORARY = f"{tempfile.gettempdir()}/moodstream-{os.getuid()}"
PLACES: list[tuple[str, Callable[[], Path], str, str]] = [
    ("XDG_DATA_HOME", default_catalogue, "{home}/.local/share", "moodstream/catalogue.parquet"),
    ("XDG_STATE_HOME", spotify_token, "{home}/.local/state", "moodstream/spotify.json"),
    ("XDG_STATE_HOME", kept_token, "{home}/.local/state", "moodstream/operator-token"),
    ("XDG_RUNTIME_DIR", runtime_file, TEMPORARY, "moodstream.json"),
]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home of one's own, and another folder in which one works."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    return home


def tell(monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv(variable, raising=False)
    else:
        monkeypatch.setenv(variable, value)


@pytest.mark.parametrize(("variable", "place", "folder", "rest"), PLACES)
@pytest.mark.parametrize("value", SENSELESS)
def test_what_names_no_folder_counts_for_nothing(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    place: Callable[[], Path],
    folder: str,
    rest: str,
    value: str | None,
) -> None:
    tell(monkeypatch, variable, value)
    assert place() == Path(folder.format(home=home)) / rest


@pytest.mark.parametrize(("variable", "place", "folder", "rest"), PLACES)
def test_a_folder_that_is_named_is_taken(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, place: Callable[[], Path], folder: str, rest: str
) -> None:
    monkeypatch.setenv(variable, f"{home}/elsewhere")
    assert place() == home / "elsewhere" / rest


@pytest.mark.parametrize("value", SENSELESS)
def test_no_secret_lands_in_the_working_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for variable in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        tell(monkeypatch, variable, value)
    make_token(kept_token())
    write_running(Running(os.getpid(), "http://127.0.0.1:8080", "redis://:secret@127.0.0.1"))
    assert list(Path.cwd().iterdir()) == []
    assert (home / ".local/state/moodstream/operator-token").stat().st_mode & 0o777 == 0o600


def _evil_folder(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def _link_to(place: Path) -> None:
    (place.parent / "aim").mkdir(mode=0o700)
    place.symlink_to(place.parent / "aim")


def _plain_file(place: Path) -> None:
    place.write_text("x")


def _of_another(place: Path) -> None:
    place.mkdir(mode=0o700)
    os.chown(place, 12345, 12345)


@pytest.mark.parametrize("occupy", [_evil_folder, _link_to, _plain_file, _of_another])
def test_a_temporary_folder_that_others_made_before_is_not_used(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, occupy: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    place = tmp_path / f"moodstream-{os.getuid()}"
    if occupy is _of_another and os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    occupy(place)
    with pytest.raises(MoodstreamError, match="not of this user alone"):
        write_running(Running(os.getpid(), "http://127.0.0.1:8080", "redis://:secret@127.0.0.1"))
    assert not any("secret" in file.read_text() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize("way", ["mode of the folder", "mode of the file", "a link", "another's file", "a pipe"])
def test_a_file_that_others_could_have_written_directs_no_command(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    write_running(Running(os.getpid(), "http://127.0.0.1:8080", "redis://127.0.0.1"))
    file = runtime_file()
    assert find_running() is not None
    if way == "mode of the folder":
        file.parent.chmod(0o733)
    elif way == "mode of the file":
        file.chmod(0o666)
    elif way == "a link":
        file.symlink_to(file.rename(tmp_path / "elsewhere"))
    elif way == "a pipe":
        file.unlink()
        os.mkfifo(file, 0o600)
    elif os.getuid() != 0:
        pytest.skip("only root can give a file away")
    else:
        os.chown(file, 12345, 12345)
    assert find_running() is None


@pytest.mark.parametrize("value", SENSELESS)
def test_the_disk_that_is_looked_at_is_that_of_the_data(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    tell(monkeypatch, "XDG_DATA_HOME", value)
    [finding] = check_disk(min_mb=10**9)
    assert f" MB are free in {home};" in str(finding.hint)


def test_one_module_alone_reads_these_variables() -> None:
    readers = {
        file.relative_to(ROOT).as_posix()
        for folder in ("services", "shared", "moodstream", "training")
        for file in (ROOT / folder).rglob("*.py")
        if "XDG_" in file.read_text()
    }
    assert readers == {"shared/paths.py"}
