"""A small OpenTelemetry collector: takes spans over HTTP, as the real ones do."""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtelSpan


@dataclass(frozen=True)
class Span:
    name: str
    trace: str
    id: str
    parent: str
    seconds: float
    service: str
    """of its resource"""
    kind: str
    """CLIENT, CONSUMER, INTERNAL, PRODUCER or SERVER"""
    attributes: dict[str, str]
    resource: dict[str, str]


@dataclass
class Collector:
    """What an OpenTelemetry collector is told."""

    url: str
    spans: list[Span] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        told = ExportTraceServiceRequest.FromString(body)
        self.spans += [
            Span(
                one.name,
                one.trace_id.hex(),
                one.span_id.hex(),
                one.parent_span_id.hex(),
                (one.end_time_unix_nano - one.start_time_unix_nano) / 1e9,
                texts(resource.resource.attributes)["service.name"],
                OtelSpan.SpanKind.Name(one.kind).removeprefix("SPAN_KIND_"),
                texts(one.attributes),
                texts(resource.resource.attributes),
            )
            for resource in told.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        ]

    def of(self, trace_id: str) -> dict[str, Span]:
        return {span.name: span for span in self.spans if span.trace == UUID(trace_id).hex}


def texts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {one.key: one.value.string_value for one in attributes}


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            here.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        here = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield here
        finally:
            server.shutdown()
