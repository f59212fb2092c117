"""Traces from frame to play, for OpenTelemetry; off unless an address is set, and never waited for.

The events carry all that is needed: their ``trace_id`` is the trace, and the last eight bytes of their ``id`` are the
span in which they were made, so that whoever handles one knows its parent. Nothing travels in headers, and who joins a
trace later, or handles an event twice, finds the same ids.

Each service has a name of its own, also where one process runs all of them. OpenTelemetry's variables (``OTEL_...``)
hold before ours; kinds and attributes of spans are those of its conventions for messaging.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from moodstream.contracts.events import Captured, Event
from moodstream.contracts.streams import CAPTURES, STREAMS
from shared.bus.spans import CHOSEN, LAST_8_BYTES, Work, tracers
from shared.logs import TRACE

PROCESS = "moodstream"


class Traces:
    """The traces of a process. Without an address it sends none, and costs next to nothing."""

    def __init__(self, url: str | None, fraction: float = 1.0, *, prefix: str = "mood:", instance: str = "") -> None:
        """``prefix`` begins the names of streams, ``instance`` names this process among those of its service.

        Raises MoodstreamError where ``url`` is given and the extra ``traces`` is not installed.
        """
        self.service = PROCESS
        """whose work it is when nothing says so: in a process of one service that one"""
        self._prefix = prefix
        self._tracers = tracers(url, fraction, instance)

    @contextlib.contextmanager
    def step(
        self, service: str, what: str, cause: Event | Captured | None, *, consumes: bool = False
    ) -> Iterator[None]:
        """A piece of work that follows from an event or a frame; ``consumes``: it was just taken from its stream."""
        if cause is None:
            yield
            return
        work = Work(service, what, self._stream(cause) if consumes else None)
        with self.handling(work, cause.id, trace_of(cause.trace_id)):
            yield

    @contextlib.contextmanager
    def handling(self, work: Work, cause_id: object, trace_id: str | None) -> Iterator[None]:
        """The same by ids; the cause's may be anything that somebody has written into an event."""
        token, of = TRACE.set(trace_id), _SERVICE.set(work.service)
        try:
            if self._tracers is None or trace_id is None:
                yield
                return
            with self._tracers.consumes(work, cause_id, _context(_bits(trace_id), _bits(cause_id))):
                yield
        finally:
            TRACE.reset(token)
            _SERVICE.reset(of)

    @contextlib.contextmanager
    def making(self, event: Event | Captured) -> Iterator[None]:
        """The publication of an event or frame, whose span has the id that follows from its own."""
        if self._tracers is None:
            yield
            return
        from opentelemetry.trace import get_current_span

        trace, now = _bits(event.trace_id), get_current_span().get_span_context()
        inside = now.is_valid and now.trace_id == trace
        name, id_ = type(event).__name__, event.id
        start = _nanoseconds(event.captured_at) if isinstance(event, Captured) else None
        CHOSEN.set((trace, _bits(id_) & LAST_8_BYTES))
        work = Work(_SERVICE.get() or self.service, name, self._stream(event))
        with self._tracers.produces(work, id_, None if inside else _context(0, 0), start):
            yield

    def close(self) -> None:
        """Send what is left."""
        if self._tracers is not None:
            self._tracers.close()

    def _stream(self, event: Event | Captured) -> str:
        return self._prefix + (CAPTURES[type(event)] if isinstance(event, Captured) else STREAMS[type(event)].name)


_SERVICE: ContextVar[str | None] = ContextVar("service", default=None)
"""Whose work is done now."""


def _context(trace: int, span: int) -> Any:
    """A context whose parent is a span of another process; without one where the ids are 0."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    if not (trace and span & LAST_8_BYTES):
        return Context()
    parent = SpanContext(trace, span & LAST_8_BYTES, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(parent), Context())


def trace_of(id_: object) -> str | None:
    """The id of a trace; None for anything that is no UUID."""
    return str(UUID(int=bits)) if isinstance(id_, str) and (bits := _bits(id_)) else None


def _bits(id_: object) -> int:
    """The 128 bits of a UUID; 0 for anything else."""
    try:
        return UUID(str(id_)).int
    except ValueError:
        return 0


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
