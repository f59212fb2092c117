"""What can be audited without a network: our own code and files. `make audit` also asks about the packages."""

import re
import secrets as random
from pathlib import Path

import pytest

from tests.security.audit import ROOT, bandit, files, judged, secrets


def test_nothing_is_found_that_is_not_excused() -> None:
    assert judged([*secrets(files()), *bandit()], {"secrets", "bandit"}) == []


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN EC " + "PRIVATE KEY-----",
        "key = AKIA" + "ABCDEFGHIJKLMNOP",
        "redis://moodstream:" + "hunter22@redis:6379/0",
        "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAbCd",
        "operator_" + f'token = "{random.token_urlsafe(24)}"',
        '"client_' + f'secret": "{random.token_hex(48)}"',
    ],
    ids=["key", "cloud", "redis", "webhook", "token", "spotify"],
)
def test_secrets_are_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text(f"x = 1\n{line}\n")
    [found] = secrets(["file.py"], tmp_path)
    assert (found.where, found.line) == ("file.py", 2)
    assert line not in str(found)


@pytest.mark.parametrize(
    "line",
    [
        "mqtt://user:password@host:1883",
        "redis://user:***@host",
        "rtsp://{user}:{password}@host",
        'token = "operator_token_file"',
        'password = os.environ["PASSWORD"]',
    ],
)
def test_words_are_no_secrets(line: str, tmp_path: Path) -> None:
    (tmp_path / "file.md").write_text(line)
    assert list(secrets(["file.md"], tmp_path)) == []


def test_what_the_checklist_names_is_there() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?", (ROOT / "docs" / "security.md").read_text())
    assert len(named) > 20
    for name, test in named:
        file = ROOT / name if (ROOT / name).is_file() else ROOT / "tests" / name
        assert file.is_file(), name
        assert f"def {test}" in file.read_text() if test else True


def test_an_excuse_for_nothing_is_a_finding() -> None:
    assert any("excuse for nothing" in fault for fault in judged([], {"bandit"}))
