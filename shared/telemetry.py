"""Counters for Prometheus."""

from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def metrics_route(registries: Sequence[CollectorRegistry]) -> Route:
    """``/metrics`` with what the registries of all services of a process hold, as Prometheus reads it."""

    async def metrics(_: Request) -> Response:
        return Response(b"".join(map(generate_latest, registries)), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route("/metrics", metrics)
