"""Traces from frame to play, for OpenTelemetry; off unless an address is set, and never waited for.

The events carry all that is needed: their ``trace_id`` is the trace, and the last eight bytes of their ``id`` are the
span in which they were made, so that whoever handles one knows its parent. Nothing travels in headers, and who joins a
trace later, or handles an event twice, finds the same ids.
"""

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from moodstream.contracts.events import Event, FrameCaptured
from moodstream.errors import MoodstreamError
from shared.logs import TRACE

log = logging.getLogger("moodstream.traces")

_LAST_8_BYTES = (1 << 64) - 1


class Traces:
    """The traces of a process. Without an address it sends none, and costs next to nothing."""

    def __init__(self, url: str | None, fraction: float = 1.0) -> None:
        self._provider = _provider(url, fraction) if url else None
        self._tracer = self._provider.get_tracer("moodstream") if self._provider else None

    @contextlib.contextmanager
    def step(self, name: str, cause: Event | FrameCaptured | None) -> Iterator[None]:
        """A piece of work that follows from an event or a frame."""
        if cause is None:
            yield
            return
        id_ = cause.frame_id if isinstance(cause, FrameCaptured) else cause.id
        with self.handling(name, id_, trace_of(cause.trace_id)):
            yield

    @contextlib.contextmanager
    def handling(self, name: str, cause_id: object, trace_id: str | None) -> Iterator[None]:
        """The same by ids; the cause's may be anything that somebody has written into an event."""
        token = TRACE.set(trace_id)
        try:
            if self._tracer is None or trace_id is None:
                yield
                return
            with self._tracer.start_as_current_span(name, context=_context(_bits(trace_id), _bits(cause_id))):
                yield
        finally:
            TRACE.reset(token)

    @contextlib.contextmanager
    def making(self, event: Event | FrameCaptured) -> Iterator[None]:
        """The publication of an event or frame, whose span has the id that follows from its own."""
        if self._tracer is None:
            yield
            return
        from opentelemetry.trace import get_current_span

        trace, now = _bits(event.trace_id), get_current_span().get_span_context()
        inside = now.is_valid and now.trace_id == trace
        if isinstance(event, FrameCaptured):
            name, id_, start = "FrameCaptured", event.frame_id, _nanoseconds(event.captured_at)
        else:
            name, id_, start = type(event).__name__, event.id, None
        _CHOSEN.set((trace, _bits(id_) & _LAST_8_BYTES))
        with self._tracer.start_as_current_span(name, context=None if inside else _context(0, 0), start_time=start):
            yield

    def close(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._provider.shutdown()


_CHOSEN: ContextVar[tuple[int, int] | None] = ContextVar("chosen", default=None)
"""Trace and span id of the span that is begun next."""


def _provider(url: str, fraction: float) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
    except ImportError:
        raise MoodstreamError("MOODSTREAM_TRACES_URL: needs pip install 'moodstream[traces]'") from None

    class Ids(RandomIdGenerator):
        """Random ones, unless they were chosen."""

        def generate_span_id(self) -> int:
            chosen = _CHOSEN.get()
            _CHOSEN.set(None)
            return chosen[1] if chosen and chosen[1] else super().generate_span_id()

        def generate_trace_id(self) -> int:
            chosen = _CHOSEN.get()
            return chosen[0] if chosen and chosen[0] else super().generate_trace_id()

    provider = TracerProvider(
        sampler=TraceIdRatioBased(fraction),
        resource=Resource.create({"service.name": "moodstream"}),
        id_generator=Ids(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=2)))
    return provider


def _context(trace: int, span: int) -> Any:
    """A context whose parent is a span of another process; without one where the ids are 0."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    if not (trace and span & _LAST_8_BYTES):
        return Context()
    parent = SpanContext(trace, span & _LAST_8_BYTES, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
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
