"""Every setting is documented, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.bridge.main import BridgeSettings
from services.cli.all_settings import settings_by_part, unknown_settings
from shared.settings import load

ROOT = Path(__file__).parents[1]


def test_the_example_holds_every_setting() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "settings"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (ROOT / ".env.example").read_text() == done.stdout, "run: make contract"
    assert "None" not in done.stdout
    assert str(Path.home()) not in done.stdout


def test_secrets_come_from_files_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moodstream_redis_url").write_text("redis://gateway:a-password@redis:6379/0\n")
    (tmp_path / "moodstream_operator_token").write_text("a-token-of-some-length")
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    monkeypatch.setenv("MOODSTREAM_SECRETS", str(tmp_path))
    monkeypatch.delenv("MOODSTREAM_REDIS_URL", raising=False)
    settings = load(BridgeSettings)
    assert settings.redis_url == "redis://gateway:a-password@redis:6379/0"
    assert settings.operator_token == "a-token-of-some-length"
    monkeypatch.setenv("MOODSTREAM_REDIS_URL", "redis://elsewhere")
    assert load(BridgeSettings).redis_url == "redis://elsewhere"
    monkeypatch.setenv("MOODSTREAM_SECRETS", str(tmp_path / "nothing"))
    assert load(BridgeSettings).operator_token is None


def test_what_several_services_read_is_one_setting() -> None:
    read: dict[str, set[str]] = {}
    for part, kind in settings_by_part().items():
        if part == "Common":  # of `moodstream run`, which starts a Redis and a page of its own
            continue
        for name, field in kind.model_fields.items():
            read.setdefault(name, set()).add(f"{field.annotation} {field.default!r} {field.description}")
    assert len(read) > 100
    allowed = {"port"}  # of the page in the gateway, of health checks elsewhere
    assert {name: ways for name, ways in read.items() if len(ways) > 1 and name not in allowed} == {}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("MOODSTREAM_HOLDS", "MOODSTREAM_HOLDS is not a setting; did you mean MOODSTREAM_HOLD_S?"),
        ("MOODSTREAM_QUIETHOURS", "MOODSTREAM_QUIETHOURS is not a setting; did you mean MOODSTREAM_QUIET_HOURS?"),
        ("MOODSTREAM_XQZW", "MOODSTREAM_XQZW is not a setting"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_name_that_nothing_reads_is_found(
    name: str, told: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if place == ".env":
        Path(".env").write_text(f"{name}=1\n")
    else:
        monkeypatch.setenv(name, "1")
    assert told in [one.as_text() for one in unknown_settings()]


@pytest.mark.parametrize("name", ["MOODSTREAM_DEFAULT_EXPLICIT", "MOODSTREAM_REDIS_URL_FILE", "MOODSTREAM_MEDIA"])
def test_names_that_something_reads_are_known(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert name not in [one.name for one in unknown_settings()]
