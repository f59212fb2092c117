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
from typing import Any, Literal, TextIO

Form = Literal["text", "json"]

TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""``trace_id`` of what is done now."""

MAX_PER_S = 9
"""Lines of any kind in any second; those that tell why a process ends always come through."""

MAX_ALIKE, ALIKE_S = 10, 10.0
"""Lines that differ only in their values, and in how many seconds so many may come."""

TOLD = 3
"""How many kinds of lines that were left out are named."""


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
        return json.dumps(line, ensure_ascii=False)


class Sparing(logging.StreamHandler[TextIO]):
    """Leaves out what comes too fast, counts it, and tells the count ten seconds later."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._lately: deque[float] = deque(maxlen=MAX_PER_S)
        self._alike: dict[tuple[str, str], deque[float]] = {}
        self._left_out: Counter[str] = Counter()
        self._telling: threading.Timer | None = None
        self.left_out = 0
        """since the start"""

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        kind, now_s = (record.name, str(record.msg)), time.monotonic()
        alike = self._alike.get(kind) or deque(maxlen=MAX_ALIKE)
        if record.levelno < logging.CRITICAL and (_full(alike, now_s, ALIKE_S) or _full(self._lately, now_s, 1.0)):
            self._leave_out(record)
            return
        if alike and now_s - alike[-1] < ALIKE_S:
            record.exc_info = record.exc_text = None  # the same traceback was shown a moment ago
        alike.append(now_s)
        self._lately.append(now_s)
        self._alike = {one: times for one, times in self._alike.items() if now_s - times[-1] < ALIKE_S}
        self._alike[kind] = alike
        super().emit(record)

    def _leave_out(self, record: logging.LogRecord) -> None:
        self.left_out += 1
        self._left_out[f"{record.name}: {record.msg}"] += 1
        if self._telling is None:
            self._telling = threading.Timer(ALIKE_S, self.tell)
            self._telling.daemon = True
            self._telling.start()

    def tell(self) -> None:
        """One line about what was left out since the last one."""
        with self.lock:  # type: ignore[union-attr]
            kinds, self._left_out, self._telling = self._left_out, Counter(), None
            if not kinds:
                return
            named = "; ".join(f"{count} x {' '.join(kind.split())[:120]}" for kind, count in kinds.most_common(TOLD))
            text = f"{kinds.total()} lines were left out in {ALIKE_S:.0f} s: {named}"
            super().emit(logging.LogRecord("moodstream.logs", logging.WARNING, __file__, 0, text, None, None))

    def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        self.tell()
        super().close()


def _full(times: deque[float], now_s: float, window_s: float) -> bool:
    return len(times) == times.maxlen and now_s - times[0] < window_s


def set_up_logging(level: str, form: Form = "text") -> Sparing:
    """Lines on standard error; libraries speak from WARNING on. Returns the handler."""
    os.environ["FASTSTREAM_SUPERVISOR_DISABLED"] = "1"
    handler = Sparing(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("moodstream").setLevel(level)
    return handler
