"""What others wrote reaches terminals and logs as plain text: no escape sequences, no lines that it has begun."""

import io
import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodstream.contracts.events import StatusChanged
from services.__main__ import main
from shared.contracts.event_lines import line
from shared.logs import RateLimitedHandler, TextLines, set_up_logging
from shared.plain_text import PlainStream, plain, plain_lines, raw

EVIL = "a\x1b[2J\x1b]0;owned\x07\r\nb\x9b31m\u202edrow\u2028c\x00\ud800"
UNSAFE = [*map(chr, [*range(0x20), 0x7F, *range(0x80, 0xA0)]), "\u2028", "\u2029", "\u202e", "\u2066", "\ufeff"]


@given(st.text())
def test_nothing_unsafe_is_left_and_nothing_else_is_changed(text: str) -> None:
    shown = plain(text)
    assert not set(shown) & set(UNSAFE)
    assert set(plain_lines(text)) & set(UNSAFE) <= {"\n", "\t"}
    if not set(text) & set(UNSAFE) and text.isprintable():
        assert shown == text


def test_an_event_is_one_line_whatever_is_in_it() -> None:
    event = StatusChanged(service="camera", part=EVIL[:-1], state="online", reason=EVIL[:-1])
    for shown in (line(event, as_json=True), line(event, as_json=False), line(event, as_json=False, coloured=True)):
        assert not set(shown) & set(UNSAFE)
    assert json.loads(line(event, as_json=True))["reason"] == EVIL[:-1]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_line_is_one_line(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    handler = set_up_logging("INFO", form)  # type: ignore[arg-type]
    try:
        try:
            raise ValueError(f"first\n2026-01-01 CRITICAL moodstream  forged {EVIL}")
        except ValueError:
            logging.getLogger("moodstream.test").warning("camera %s", EVIL, exc_info=True)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    said = capsys.readouterr().err
    assert not set(said) & (set(UNSAFE) - {"\n"})
    begun = [one for one in said.splitlines() if not one.startswith(" ")]
    assert len(begun) == 1


def test_the_formatter_is_what_the_handler_uses() -> None:
    handler = RateLimitedHandler(io.StringIO())
    handler.setFormatter(TextLines("%(message)s"))
    assert handler.format(logging.LogRecord("a", 20, "", 0, "x\ny", None, None)) == "x\\u000ay"
    handler.close()


def test_commands_print_plain_text(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(SystemExit):
        main([f"no-command-{EVIL[:-1]}"])
    assert (sys.stdout, sys.stderr) == before
    said = capsys.readouterr().err
    assert "no-command" in said
    assert not set(said) & (set(UNSAFE) - {"\n"})


def test_what_draws_by_itself_writes_beside_it() -> None:
    out = io.StringIO()
    stream = PlainStream(out)
    print("\x1b[31mred", file=stream)
    print("\x1b[31mred", file=raw(stream))  # type: ignore[arg-type]
    assert out.getvalue() == "\\u001b[31mred\n\x1b[31mred\n"
