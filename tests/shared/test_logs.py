"""The log: a line a record, JSON where it is asked for, and never more than a person can read."""

import io
import json
import logging
import re
import sys
import time
from collections.abc import Iterator

import pytest

from shared import logs
from shared.logs import MAX_ALIKE, MAX_PER_S, TRACE, JsonLines, RateLimitedHandler

Lines = tuple[logging.Logger, io.StringIO, RateLimitedHandler]

ROUNDS = 1000


@pytest.fixture
def lines() -> Iterator[Lines]:
    stream = io.StringIO()
    handler = RateLimitedHandler(stream)
    log = logging.getLogger("moodstream.test-of-logs")
    log.propagate = False
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield log, stream, handler
    log.removeHandler(handler)
    handler.close()


def test_a_hot_loop_is_a_few_lines_and_a_count(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "ALIKE_S", 0.8)
    monkeypatch.setattr("shared.logs.time.monotonic", lambda: 1000.0)
    log, stream, handler = lines
    for number in range(ROUNDS):
        log.error("round %d failed", number)
    deadline = time.time() + 10
    while sum(told(stream)) < ROUNDS - MAX_PER_S:
        assert time.time() < deadline
        time.sleep(0.05)
    shown = [line for line in stream.getvalue().splitlines() if line.startswith("round")]
    assert shown == [f"round {number} failed" for number in range(MAX_PER_S)]
    assert "x moodstream.test-of-logs: round %d failed" in stream.getvalue().splitlines()[-1]
    assert handler.suppressed == sum(told(stream)) == ROUNDS - MAX_PER_S


def told(stream: io.StringIO) -> list[int]:
    """How many lines suppressed, as the log says."""
    return [int(count) for count in re.findall(r"^(\d+) lines suppressed", stream.getvalue(), re.MULTILINE)]


def test_no_second_has_ten_lines_however_different_they_are(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    log, stream, _ = lines
    now = [1000.0]
    monkeypatch.setattr("shared.logs.time.monotonic", lambda: now[0])
    written: list[float] = []
    for number in range(3000):
        before = stream.getvalue().count("\n")
        log.warning(f"fault {number}")
        written += [now[0]] * (stream.getvalue().count("\n") - before)
        now[0] += 0.001
    assert written
    assert all(sum(at <= one < at + 0.999 for one in written) < 10 for at in written)


def test_alike_lines_are_shown_once_a_second_in_the_long_run(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    log, stream, _ = lines
    now = [1000.0]
    monkeypatch.setattr("shared.logs.time.monotonic", lambda: now[0])
    for number in range(600):
        log.warning("camera %d is away", number)
        now[0] += 0.2
    assert stream.getvalue().count("\n") <= 120 / 10 * MAX_ALIKE + MAX_ALIKE


def test_quiet_logs_lose_nothing_and_what_ends_a_process_is_always_told(lines: Lines) -> None:
    log, stream, handler = lines
    for number in range(5):
        log.info("camera-%d is online", number)
    assert stream.getvalue().count("online") == 5
    for _ in range(100):
        log.warning("hot")
    for _ in range(3):
        log.critical("the loop is stuck")
    assert stream.getvalue().count("stuck") == 3
    handler.close()
    assert "lines suppressed" in stream.getvalue().splitlines()[-1], "told at the end, too"


def test_the_same_traceback_is_shown_once(lines: Lines) -> None:
    log, stream, _ = lines
    for _ in range(3):
        try:
            raise ValueError("unforeseen")
        except ValueError:
            log.exception("a try failed")
    assert stream.getvalue().count("a try failed") == 3
    assert stream.getvalue().count("Traceback") == 1


def test_json_lines_hold_time_level_place_trace_and_error() -> None:
    formatter = JsonLines()
    token = TRACE.set("0b0e9a3e-0000-4000-8000-000000000001")
    try:
        raise ValueError("line one\nline two")
    except ValueError:
        record = logging.LogRecord("moodstream.x", logging.ERROR, "f", 1, "%s failed: ü\n", ("it",), sys.exc_info())
    text = formatter.format(record)
    TRACE.reset(token)
    assert "\n" not in text
    line = json.loads(text)
    assert set(line) == {"at", "level", "logger", "message", "trace_id", "error", "traceback"}
    assert line["message"] == "it failed: ü\n"
    assert line["error"] == "ValueError"
    assert line["at"].endswith("+00:00")
    plain = json.loads(formatter.format(logging.LogRecord("a", logging.INFO, "f", 1, "b", None, None)))
    assert set(plain) == {"at", "level", "logger", "message"}
