"""Storing what operators set: as a whole or not at all, nobody's change lost, every change noted."""

import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.gateway.site_settings import audit
from services.gateway.site_settings.file import NO_FILE, Changed, SettingsFile
from shared.web.operator import Who

OWNER = Who("owner", "192.0.2.7")


@contextmanager
def full_disk(at: int) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "data" / "settings.toml")


def test_a_change_keeps_remarks_and_what_others_have_set(file: SettingsFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text('# by hand\ngoal = "lift" # for the evenings\nof_a_newer_version = [1, 2]\nvolume_max = 40\n')
    file.change(file.read().version, {"block": "# a remark\nX-1\n", "volume_max": None, "explicit": False}, OWNER, "it")
    text = file.path.read_text()
    assert '# by hand\ngoal = "lift" # for the evenings\nof_a_newer_version = [1, 2]\n' in text
    assert file.read().values == {
        "goal": "lift",
        "of_a_newer_version": [1, 2],
        "block": "# a remark\nX-1\n",
        "explicit": False,
    }
    [entry] = file.audit.newest(10)
    assert {name: entry[name] for name in ("role", "address", "what")} == {
        "role": "owner",
        "address": "192.0.2.7",
        "what": "it",
    }
    assert entry["changes"]["volume_max"] == [40, None]
    assert file.audit.newest(10) == [entry]
    assert (file.path.parent / "audit.jsonl").stat().st_mode & 0o077 == 0


def test_whoever_is_second_is_told_and_nothing_is_lost(file: SettingsFile) -> None:
    read = file.read().version
    assert read == NO_FILE

    def change(number: int) -> bool:
        try:
            file.change(read, {f"of_{number}": number}, OWNER, "settings")
        except Changed:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(change, range(8)))
    assert done.count(True) == 1
    assert file.read().values == {f"of_{done.index(True)}": done.index(True)}
    assert len(file.audit.newest(10)) == 1


@pytest.mark.parametrize("at", [10, 400])
def test_on_a_full_disk_the_old_file_stays_and_nothing_is_noted(file: SettingsFile, at: int) -> None:
    """With room for no note (10), and with room for a note but not for the file (400)."""
    file.change(NO_FILE, {"block": "x\n" * 300}, OWNER, "settings")
    before, noted = file.path.read_bytes(), file.audit.newest(10)
    (file.path.parent / "audit.jsonl").write_bytes(b"")
    with full_disk(at), pytest.raises(OSError, match="too large"):
        file.change(file.read().version, {"goal": "lift"}, OWNER, "settings")
    assert file.path.read_bytes() == before
    assert file.audit.newest(10) == []
    assert sorted(one.name for one in file.path.parent.iterdir()) == [".settings.lock", "audit.jsonl", "settings.toml"]
    file.change(file.read().version, {"goal": "lift"}, OWNER, "settings")
    assert len(noted) == len(file.audit.newest(10)) == 1


def test_a_file_that_is_no_toml_is_left_alone(file: SettingsFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text("goal = lift\n")
    with pytest.raises(MoodstreamError, match=r"settings\.toml: Invalid value") as raised:
        file.read()
    assert "\n" not in str(raised.value)
    assert file.path.read_text() == "goal = lift\n"


def test_the_audit_is_bounded_and_survives_a_line_that_was_cut_off(
    file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_BYTES", 4_000)
    for number in range(100):
        file.note(OWNER, f"deed {number} {'x' * 40}")
    path = file.path.parent / "audit.jsonl"
    assert path.stat().st_size < 4_300
    path.write_bytes(path.read_bytes()[:-20])
    assert [entry["what"][:7] for entry in file.audit.newest(2)] == ["deed 98", "deed 97"]
    assert audit.shown("y" * 1000) == f"{'y' * 200}… (1000 letters)"
