"""Counters for Prometheus."""

import asyncio
import time
from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.delivery.stream_metrics import StreamMetrics

FRESH_S = 1.0


def metrics_route(streams: StreamMetrics, registries: Sequence[CollectorRegistry]) -> Route:
    """``/metrics``: the streams of a process and what the registries of its services hold, as Prometheus reads it."""

    lock, asked_s = asyncio.Lock(), float("-inf")

    async def metrics(_: Request) -> Response:
        nonlocal asked_s
        async with lock:  # however many ask, Redis is asked once a second
            if time.monotonic() - asked_s >= FRESH_S:
                await streams.refresh()
                asked_s = time.monotonic()
        text = b"".join(map(generate_latest, (streams.registry, *registries)))
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route("/metrics", metrics)
