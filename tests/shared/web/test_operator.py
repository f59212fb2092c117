"""The operator's token that `moodstream run` makes."""

import stat
from pathlib import Path

import pytest

from moodstream.errors import MoodstreamError
from services.cli.run.child_environment import operator_settings
from shared.web.operator import make_token


def test_run_makes_a_token_once_shows_it_once_and_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("MOODSTREAM_OPERATOR_TOKEN", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    first, told = operator_settings("http://here/operator")
    file = Path(first["MOODSTREAM_OPERATOR_TOKEN_FILE"])
    token = file.read_text().strip()
    assert len(token) >= 16
    assert token in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second, again = operator_settings("http://here/operator")
    assert second == first
    assert token not in again
    assert str(file) in again
    monkeypatch.setenv("MOODSTREAM_OPERATOR_TOKEN", "one of the operator's own")
    assert operator_settings("http://here/operator")[0] == {}


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "token"
    make_token(file)
    with pytest.raises(MoodstreamError, match="File exists"):
        make_token(file)
