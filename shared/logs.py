"""Logs on standard error: lines for people or JSON for programs, never many a second, never about a person.

Every line carries the trace of what was being done, which is the ``trace_id`` of the events that it belongs to.
"""

import json
import logging
import os
import sys
import threading
import time
from collections import Counter, deque
from contextvars import ContextVar
from datetime import UTC, datetime
from textwrap import indent
from typing import Any, Literal, TextIO

from shared.plain_text import plain, plain_lines

Form = Literal["text", "json"]

TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""``trace_id`` of what is done now."""

MAX_RECENT = 500
MAX_PER_S = 9
"""Lines of any kind in any second; critical ones, which say why a process ends, are always written."""

MAX_ALIKE, ALIKE_S = 10, 10.0
"""Lines that differ only in their values: how many are written in how many seconds."""

KINDS_NAMED = 3
"""How many kinds of suppressed lines the summary names."""


class TextLines(logging.Formatter):
    """A line for people. Whatever others wrote stays on it: lines of a traceback are indented, no other begins one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = plain(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return indent(plain_lines(super().formatException(ei)), "  ")


class JsonLines(logging.Formatter):
    """One JSON object a line; the names of its fields are those of ``docs/metrics.md``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := TRACE.get():
            line["trace_id"] = trace
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = self.formatException(record.exc_info)
        return plain_lines(json.dumps(line, ensure_ascii=False))


class RecentLines(logging.Handler):
    """Keeps the newest lines in memory, as people read them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=MAX_RECENT)

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        self.lines.append(self.format(record))


recent = RecentLines()
"""Of this process, since ``set_up_logging``."""


class RateLimitedHandler(logging.StreamHandler[TextIO]):
    """Suppresses lines that come too fast, counts them, and writes a summary ten seconds later."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._lately: deque[float] = deque(maxlen=MAX_PER_S)
        self._alike: dict[tuple[str, str], deque[float]] = {}
        self._suppressed: Counter[str] = Counter()
        self._summary: threading.Timer | None = None
        self.suppressed = 0
        """lines since the start"""

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        kind, now_s = (record.name, str(record.msg)), time.monotonic()
        alike = self._alike.get(kind) or deque(maxlen=MAX_ALIKE)
        if record.levelno < logging.CRITICAL and (_full(alike, now_s, ALIKE_S) or _full(self._lately, now_s, 1.0)):
            self._suppress(record)
            return
        if alike and now_s - alike[-1] < ALIKE_S:
            record.exc_info = record.exc_text = None  # the same traceback was shown a moment ago
        alike.append(now_s)
        self._lately.append(now_s)
        self._alike = {one: times for one, times in self._alike.items() if now_s - times[-1] < ALIKE_S}
        self._alike[kind] = alike
        super().emit(record)

    def _suppress(self, record: logging.LogRecord) -> None:
        self.suppressed += 1
        self._suppressed[f"{record.name}: {record.msg}"] += 1
        if self._summary is None:
            self._summary = threading.Timer(ALIKE_S, self.write_summary)
            self._summary.daemon = True
            self._summary.start()

    def write_summary(self) -> None:
        """One line about the lines that were suppressed since the last summary; none when there were none."""
        with self.lock:  # type: ignore[union-attr]
            kinds, self._suppressed, self._summary = self._suppressed, Counter(), None
            if not kinds:
                return
            named = "; ".join(
                f"{count} x {' '.join(kind.split())[:120]}" for kind, count in kinds.most_common(KINDS_NAMED)
            )
            text = f"{kinds.total()} lines suppressed in {ALIKE_S:.0f} s: {named}"
            super().emit(logging.LogRecord("moodstream.logs", logging.WARNING, __file__, 0, text, None, None))

    def close(self) -> None:
        if self._summary is not None:
            self._summary.cancel()
        self.write_summary()
        super().close()


def _full(times: deque[float], now_s: float, window_s: float) -> bool:
    return len(times) == times.maxlen and now_s - times[0] < window_s


def set_up_logging(level: str, form: Form = "text") -> RateLimitedHandler:
    """Lines on standard error, those of libraries from WARNING on. Returns the handler."""
    os.environ["FASTSTREAM_SUPERVISOR_DISABLED"] = "1"
    handler = RateLimitedHandler(sys.stderr)
    text = TextLines("%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    recent.setFormatter(text)
    logging.basicConfig(level=logging.WARNING, handlers=[handler, recent], force=True)
    logging.captureWarnings(True)
    logging.getLogger("moodstream").setLevel(level)
    return handler
