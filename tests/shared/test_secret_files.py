"""Secrets from files: read where they are named or mounted, and one clear line where that cannot be."""

from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.bridge.main import BridgeSettings
from services.camera.settings import CameraSettings
from services.player.main import PlayerSettings
from shared import secret_files
from shared.settings import Settings, load


def secret(file: Path, text: str = "hunter2 is too short\n", mode: int = 0o600) -> str:
    file.write_text(text)
    file.chmod(mode)
    return str(file)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Settings, "redis_url"),
        (Settings, "frames_redis_url"),
        (Settings, "redis_password"),
        (CameraSettings, "camera"),
        (CameraSettings, "cameras"),
        (PlayerSettings, "mpd_password"),
        (BridgeSettings, "mqtt_url"),
        (BridgeSettings, "operator_token"),
    ],
)
def test_every_secret_may_lie_in_a_file(
    kind: type[Settings], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MOODSTREAM_{name.upper()}_FILE", secret(tmp_path / "secret"))
    settings = load(kind)
    assert getattr(settings, name) == "hunter2 is too short"
    assert "hunter2" not in repr(settings)


def test_the_file_may_be_named_in_dotenv_and_what_is_given_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"MOODSTREAM_REDIS_PASSWORD_FILE={secret(tmp_path / 'one', 'from dotenv')}\n")
    assert load(Settings).redis_password == "from dotenv"
    monkeypatch.setenv("MOODSTREAM_REDIS_PASSWORD_FILE", secret(tmp_path / "two", "from the environment"))
    assert load(Settings).redis_password == "from the environment"
    assert load(Settings, redis_password="given").redis_password == "given"


def test_what_is_no_secret_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSTREAM_PREFIX_FILE", secret(tmp_path / "prefix"))
    assert load(Settings).prefix == "mood:"


def test_containers_find_theirs_unnamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_files, "MOUNTED", tmp_path)
    secret(tmp_path / "moodstream_redis_password", "mounted", 0o444)  # as swarms do
    assert load(Settings).redis_password == "mounted"
    monkeypatch.setenv("MOODSTREAM_REDIS_PASSWORD", "from the environment")
    assert load(Settings).redis_password == "from the environment"


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (None, 0, "No such file"),
        ("x", 0o644, "every user of this computer can read .*chmod 600"),
        ("x", 0o604, "every user"),
        ("  \n", 0o600, "is empty"),
        ("\udcff", 0o600, "is not a text file"),
    ],
)
def test_one_line_says_what_is_wrong(
    text: str | None, mode: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    if text is not None:
        file.write_text(text, errors="surrogateescape")
        file.chmod(mode)
    monkeypatch.setenv("MOODSTREAM_REDIS_PASSWORD_FILE", str(file))
    with pytest.raises(MoodstreamError, match=f"^MOODSTREAM_REDIS_PASSWORD_FILE: .*{words}") as refused:
        load(Settings)
    assert "\n" not in str(refused.value)


def test_a_secret_has_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSTREAM_REDIS_PASSWORD", "one")
    monkeypatch.setenv("MOODSTREAM_REDIS_PASSWORD_FILE", secret(tmp_path / "secret"))
    with pytest.raises(MoodstreamError, match="MOODSTREAM_REDIS_PASSWORD is set as well"):
        load(Settings)


def test_the_fault_of_a_secret_does_not_tell_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSTREAM_OPERATOR_TOKEN_FILE", secret(tmp_path / "secret", "short1"))
    with pytest.raises(MoodstreamError, match="MOODSTREAM_OPERATOR_TOKEN: ") as refused:
        load(BridgeSettings)
    assert "short1" not in str(refused.value)
