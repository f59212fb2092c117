"""The operator's token that `moodstream run` makes."""

import stat
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.cli.run.child_environment import operator_settings
from shared.web.operator import make_token


def test_run_makes_a_token_once_shows_it_once_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("MOODSTREAM_OPERATOR_TOKEN", raising=False)
    first, told = operator_settings(False, "http://here/operator"), capsys.readouterr().out
    file = Path(first["MOODSTREAM_OPERATOR_TOKEN_FILE"])
    token = file.read_text().strip()
    assert len(token) >= 16
    assert token in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert operator_settings(False, "http://here/operator") == first
    again = capsys.readouterr().out
    assert token not in again
    assert str(file) in again
    monkeypatch.setenv("MOODSTREAM_OPERATOR_TOKEN", "one of the operator's own")
    assert operator_settings(False, "http://here/operator") == {}


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "token"
    make_token(file)
    with pytest.raises(MoodstreamError, match="File exists"):
        make_token(file)
