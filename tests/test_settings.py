"""Every setting is documented, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.bridge.main import BridgeSettings
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
