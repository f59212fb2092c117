"""Backups: what is in them, what is not, and what is refused before anything changes."""

import json
import zipfile
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.gateway.upkeep import backup
from services.gateway.upkeep.restart import KUBERNETES, SUPERVISED, SYSTEMD, other_services
from tests.support.pictures import encoded, noise

LOGO = encoded(noise(20, 40), ".png")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({SUPERVISED: "7", SYSTEMD: "x"}, None),
        ({KUBERNETES: "10.0.0.1", SYSTEMD: "x"}, "kubectl logs --tail 100 deployment/SERVICE"),
        ({SYSTEMD: "x"}, "journalctl --lines 100 --unit NAME"),
        ({}, "docker-compose logs --tail 100 SERVICE"),
    ],
)
def test_where_the_lines_of_the_other_services_are(environment: dict[str, str], told: str | None) -> None:
    found = other_services(environment)
    assert (found and found.partition(",")[0]) == told


def folder(path: Path) -> Path:
    """A data folder in use."""
    (path / "look" / "texts").mkdir(parents=True)
    (path / "music").mkdir()
    for name, data in {
        "settings.toml": b'goal = "lift"\n',
        "audit.jsonl": b"{}\n",
        "alerts.json": b'{"ntfy": "https://ntfy.example/secret"}',
        "operator-token": b"secret",
        "look/logo.png": LOGO,
        "look/texts/en.json": json.dumps({"attract": "Come in"}).encode(),
        "catalogue.parquet": b"PAR1....PAR1",
        "music/a.mp3": b"ID3",
    }.items():
        (path / name).write_bytes(data)
    return path


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path / "a.zip"


def test_a_backup_holds_what_was_set_and_no_secrets(tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    backup.write(folder(tmp_path / "data"), target)
    with zipfile.ZipFile(target) as archive:
        assert set(archive.namelist()) == {*backup.NAMES, backup.NOTE, "look/texts/en.json"}
    restored = backup.read(target)
    assert restored.settings == {"goal": "lift"}
    assert restored.texts == {"en": {"attract": "Come in"}}
    assert restored.logo is not None
    assert restored.has_catalogue
    backup.take_catalogue(target, tmp_path / "songs")
    assert (tmp_path / "songs").read_bytes() == b"PAR1....PAR1"


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"notes.txt": b"x"}, "it is no backup of Moodstream"),
        ({"settings.toml": b"", "../../etc/cron.d/x": b"x"}, "does not belong into a backup"),
        ({"settings.toml": b"", "alerts.json": b"{}"}, "alerts.json does not belong into a backup"),
        ({"settings.toml": b"goal = "}, "a file in it is damaged"),
        ({"settings.toml": b"#" * 9_000_000}, "settings.toml is too large"),
        ({"look/logo.png": b"<svg onload='x()'/>"}, "its logo was not taken: it is an SVG"),
        ({"settings.toml": b"", "look/texts/en.json": b'{"notice_here": "x"}'}, "notice_here"),
        ({"settings.toml": b"", "look/texts/en.json": b"[1]"}, "holds no texts"),
        ({"settings.toml": b"", "look/texts/xx.json": b"{}"}, "speaks no such language"),
    ],
)
def test_what_is_no_backup_is_refused_as_a_whole(tmp_path: Path, files: dict[str, bytes], line: str) -> None:
    with pytest.raises(MoodstreamError, match=line) as refused:
        backup.read(packed(tmp_path, files))
    assert "\n" not in str(refused.value)


def test_half_a_zip_is_refused(tmp_path: Path) -> None:
    whole = packed(tmp_path, {"settings.toml": b"x = 1\n" * 1000})
    whole.write_bytes(whole.read_bytes()[:-30])
    with pytest.raises(MoodstreamError, match="no whole zip"):
        backup.read(whole)
