"""Counters for Prometheus."""

from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.delivery.stream_metrics import StreamMetrics


def metrics_route(streams: StreamMetrics, registries: Sequence[CollectorRegistry]) -> Route:
    """``/metrics``: the streams of a process and what the registries of its services hold, as Prometheus reads it."""

    async def metrics(_: Request) -> Response:
        await streams.refresh()
        text = b"".join(map(generate_latest, (streams.registry, *registries)))
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route("/metrics", metrics)
