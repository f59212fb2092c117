"""Spans for OpenTelemetry, which is imported where traces are on and nowhere else."""

import logging
import os
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from moodstream import __version__
from moodstream.errors import MoodstreamError

log = logging.getLogger("moodstream.traces")

LAST_8_BYTES = (1 << 64) - 1
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
SPOKEN = "http/protobuf"
TIMEOUT_S = 2.0

CHOSEN: ContextVar[tuple[int, int] | None] = ContextVar("chosen", default=None)
"""Trace and span id of the span that is begun next."""


@dataclass(frozen=True)
class Work:
    """What a service does because of a message: the name of the span and what is known of the message."""

    service: str
    what: str
    stream: str | None = None
    """that the message came from; None for work that no message of a stream began"""
    group: str | None = None
    """its consumer group, where it has one"""


class Tracers:
    """One per service, each with a resource of its own; all send through one queue."""

    def __init__(self, make: Callable[[str], Any], close: Callable[[], None]) -> None:
        self.close = close
        """sends what is left"""
        self._make = make
        self._made: dict[str, Any] = {}

    def consumes(self, work: Work, message_id: object, context: Any) -> Any:
        """A context manager: the span of work that a message began, a consumer's where a stream is named."""
        from opentelemetry.trace import SpanKind

        kind, attributes = SpanKind.INTERNAL, {}
        if work.stream is not None:
            kind, attributes = SpanKind.CONSUMER, _message(work, "process", message_id)
        name = f"{work.service} {work.what}"
        return self._of(work).start_as_current_span(name, context=context, kind=kind, attributes=attributes)

    def produces(self, work: Work, message_id: object, context: Any, start_ns: int | None) -> Any:
        """A context manager: the span of a message that is published."""
        from opentelemetry.trace import SpanKind

        attributes = _message(work, "send", message_id)
        return self._of(work).start_as_current_span(
            work.what, context=context, kind=SpanKind.PRODUCER, attributes=attributes, start_time=start_ns
        )

    def _of(self, work: Work) -> Any:
        if work.service not in self._made:
            self._made[work.service] = self._make(work.service)
        return self._made[work.service]


def _message(work: Work, operation: str, message_id: object) -> dict[str, str]:
    """https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/"""
    attributes = {
        "messaging.system": "redis_streams",
        "messaging.operation.type": operation,
        "messaging.operation.name": operation,
        "messaging.destination.name": work.stream or "",
        "messaging.message.id": str(message_id)[:64],
    }
    return attributes | ({"messaging.consumer.group.name": work.group} if work.group else {})


def tracers(url: str | None, fraction: float, instance: str) -> Tracers | None:
    """None where no address is given, ours or OpenTelemetry's. Raises MoodstreamError where ours cannot be used."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or not (url or _first(ENDPOINTS)):
        return None
    if url is None and (asked := _first(PROTOCOLS) or SPOKEN) != SPOKEN:
        log.warning("no traces are sent: OpenTelemetry's variables ask for %s, and only %s is supported", asked, SPOKEN)
        return None
    try:
        return _tracers(url, fraction, instance)
    except ImportError:
        needs = "pip install 'moodstream[traces]'"
        if url is not None:
            raise MoodstreamError(f"MOODSTREAM_TRACES_URL: needs {needs}") from None
        log.warning("no traces are sent, although OpenTelemetry's variables name an address: that needs %s", needs)
        return None


def _tracers(url: str | None, fraction: float, instance: str) -> Tracers:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    class Ids(RandomIdGenerator):
        """Random ones, unless they were chosen."""

        def generate_span_id(self) -> int:
            chosen = CHOSEN.get()
            CHOSEN.set(None)
            return chosen[1] if chosen and chosen[1] else super().generate_span_id()

        def generate_trace_id(self) -> int:
            chosen = CHOSEN.get()
            return chosen[0] if chosen and chosen[0] else super().generate_trace_id()

    # what is not given here, the library takes from its variables: headers, certificates, sampler, sizes of the queue
    processor = BatchSpanProcessor(OTLPSpanExporter(url, timeout=None if _first(TIMEOUTS) else TIMEOUT_S))

    def make(service: str) -> Any:
        about = {
            "service.name": service,
            "service.namespace": "moodstream",
            "service.version": __version__,
            "service.instance.id": instance,
        }
        provider = TracerProvider(
            sampler=None if os.environ.get("OTEL_TRACES_SAMPLER") else TraceIdRatioBased(fraction),
            resource=Resource.create().merge(Resource(about)).merge(OTELResourceDetector().detect()),
            id_generator=Ids(),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(processor)
        return provider.get_tracer("moodstream", __version__)

    return Tracers(make, processor.shutdown)


def _first(names: tuple[str, ...]) -> str | None:
    """The first of these variables that is set to something."""
    return next((value for name in names if (value := os.environ.get(name))), None)
