"""One idea carries the layout: a service is a router, routes and background jobs; an app is any number of them.

A container passes one service to ``build_app``, ``moodstream run`` passes all.
"""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from faststream.redis import RedisBroker, RedisRouter
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from moodstream.errors import MoodstreamError
from shared.app import systemd
from shared.app.heartbeat import Heartbeat
from shared.app.jobs import SHUTDOWN_TIMEOUT_S, Job, Jobs, RestartWanted, root_cause
from shared.app.metrics_route import metrics_route
from shared.app.watchdog import Watchdog
from shared.bus.connection import Bus
from shared.delivery.age_limit import AgeLimit
from shared.delivery.consume import create_groups
from shared.delivery.dead_letters import DeadLetters
from shared.delivery.idempotence import Idempotence
from shared.delivery.in_hand import InHand
from shared.delivery.janitor import Janitor
from shared.delivery.observation import MeasureHandling, TraceEvents
from shared.delivery.retention import Retention
from shared.delivery.stream_metrics import StreamMetrics
from shared.exit_codes import EXIT_FAILED, EXIT_RESTART
from shared.settings import Settings
from shared.tasks import end_tasks

log = logging.getLogger("moodstream.app")

FRESH_S = 0.3
"""How old an answer about readiness may be."""
ANSWERS_WITHIN_S, ANSWER_ROUND_TRIPS = 1.0, 4
"""A Redis that needs longer than this to say that it is there does not answer; redis-py would ask for many seconds."""
MIN_PAUSE_S, MAX_PAUSE_S = 0.1, 5.0
"""Between two tries to start while Redis is away: doubled each time."""


@dataclass(frozen=True)
class Service:
    """One service, built but not started."""

    name: str
    router: RedisRouter = field(default_factory=RedisRouter)
    routes: Sequence[BaseRoute] = ()
    metrics: CollectorRegistry | None = None
    """what it counts; shown at ``/metrics``"""
    prepare: Sequence[Job] = ()
    """run to their end before the first message is taken, so that no handler waits for what is still loading"""
    background: Sequence[Job] = ()
    """run while the app runs; one that raises ends the process"""
    costs: Mapping[str, float] = field(default_factory=dict)
    """what requests cost by path, in cheap ones; one where nothing is said"""
    publishes_status: bool = True
    """whether a ``StatusChanged`` says when it is degraded"""


def create_bus(settings: Settings) -> Bus:
    """The bus with the rules of delivery that hold for every service."""
    return Bus(settings, middlewares=(TraceEvents, InHand, DeadLetters, AgeLimit, Idempotence, MeasureHandling))


class App:
    """A process: its services, the bus between them, and what ended it."""

    def __init__(self, bus: Bus, services: Sequence[Service]) -> None:
        self.bus, self.services = bus, services
        if len(services) == 1:
            bus.traces.service = services[0].name
        self.exit_code = 0
        self.ready = asyncio.Event()
        self._watchdog = Watchdog(bus)
        self._heartbeat = Heartbeat(bus, [service.name for service in services if service.publishes_status])
        self._jobs = Jobs()
        self._asking, self._asked_s = asyncio.Lock(), float("-inf")
        self._answered: str | None = None
        for service in services:
            bus.broker.include_router(service.router)
        self.web = Starlette(
            routes=[
                Route("/health/live", self._live),
                Route("/health/ready", self._ready),
                metrics_route(
                    StreamMetrics(bus, [service.name for service in services]),
                    [bus.metrics.registry, *(one.metrics for one in services if one.metrics is not None)],
                ),
                *(route for service in services for route in service.routes),
            ],
            lifespan=self._lifespan,
        )

    @property
    def costs(self) -> dict[str, float]:
        """Of all services."""
        return {path: cost for service in self.services for path, cost in service.costs.items()}

    async def _live(self, _: Request) -> JSONResponse:
        return JSONResponse({"alive": True})

    async def _ready(self, _: Request) -> JSONResponse:
        async with self._asking:  # however many ask, Redis is asked twice a second
            if time.monotonic() - self._asked_s >= FRESH_S:
                self._answered, self._asked_s = await self._fault(), time.monotonic()
        fault = self._answered
        names = [service.name for service in self.services]
        about = {"ready": fault is None, "fault": fault, "services": names, "slow_line": self.bus.line.slow}
        return JSONResponse(about, 503 if fault else 200)

    async def _fault(self) -> str | None:
        """Why the process is not ready; None when it is."""
        if not self.ready.is_set():
            return "waiting for Redis"
        if fault := self._watchdog.fault():
            return fault
        try:
            async with asyncio.timeout(self.bus.line.patience_s(ANSWERS_WITHIN_S, ANSWER_ROUND_TRIPS)):
                await self.bus.ping()
        except (RedisError, OSError):
            return "Redis does not answer"
        if reason := self.bus.outage.reason:
            return f"Redis: {reason}"
        line = self.bus.line
        return f"Redis: a round trip takes {line.shortest_s:.1f} s" if line.too_slow else None

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self.bus.stopping.set()
            await end_tasks(task, within_s=SHUTDOWN_TIMEOUT_S)
            await self.bus.close()

    async def _run(self) -> None:
        try:
            await self._start()
            retention = Retention(self.bus, [service.name for service in self.services])
            upkeep = self._watchdog.run, self._heartbeat.run, Janitor(self.bus).run, retention.run
            await self._jobs.run(*upkeep, *(job for service in self.services for job in service.background))
        except Exception as error:
            cause = root_cause(error)
            if isinstance(cause, RestartWanted):
                log.warning("restarting, as an operator has asked")
                self.exit(EXIT_RESTART)
            elif isinstance(cause, MoodstreamError):
                print(f"moodstream: {cause}", file=sys.stderr)
                self.exit(EXIT_FAILED)
            else:
                log.critical("a background job failed", exc_info=cause)
                self.exit(EXIT_RESTART)

    async def _start(self) -> None:
        """Everything that comes before the first message, then take messages."""
        await self.bus.connect()
        await self._jobs.run(self._wait_for_redis, *(job for service in self.services for job in service.prepare))
        await self._jobs.run(self._take_messages)
        self.ready.set()
        systemd.notify(systemd.READY)
        log.info("%s ready", ", ".join(service.name for service in self.services))

    async def _wait_for_redis(self) -> None:
        await self._retry(self._make_groups)

    async def _make_groups(self) -> None:
        await self.bus.servers.check_kind()
        await self.bus.measure_line()
        await create_groups(self.bus)

    async def _take_messages(self) -> None:
        async def start() -> None:
            await self._make_groups()  # again: Redis may have gone, and come back empty, while something was prepared
            for broker in self.bus.brokers:
                await _start_broker(broker)

        await self._retry(start)

    async def _retry(self, job: Job) -> None:
        """Run a job again and again until Redis lets it succeed."""
        pause_s = MIN_PAUSE_S
        while True:
            try:
                await job()
                self.bus.outage.resolve("starting")
                return
            except (TimeoutError, RedisError, OSError) as error:
                self.bus.outage.report("starting", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def exit(self, code: int = 0) -> None:
        """End the process in good order, with this code."""
        self.exit_code = code
        self.bus.stopping.set()

    def unfinished(self) -> list[str]:
        """Names of the jobs that have not ended."""
        return self._jobs.unfinished()


async def _start_broker(broker: RedisBroker) -> None:
    """Start a broker, or leave nothing of it running: what runs already would read twice after the next start.

    FastStream would start one subscriber after the other, and give each three seconds in which to connect, which on a
    slow line is not enough: the connections are made before, and all subscribers start side by side.
    """
    client = await broker.connect()
    try:
        await _all([client.ping() for _ in broker.subscribers])
        await _all([subscriber.start() for subscriber in broker.subscribers])
        broker.running = True
    except BaseException:
        for subscriber in broker.subscribers:
            begun = list(getattr(subscriber, "tasks", ()))
            await subscriber.stop()
            for task in begun:
                task.add_done_callback(_retrieve_exception)
        raise


async def _all(jobs: Sequence[Awaitable[Any]]) -> None:
    """Wait for all, and raise what the first of those that failed has raised."""
    for error in await asyncio.gather(*jobs, return_exceptions=True):
        if isinstance(error, BaseException):
            raise error


def _retrieve_exception(task: asyncio.Task[object]) -> None:
    """Python complains of an exception that nobody retrieves; this one is reported as that of the start."""
    if not task.cancelled():
        task.exception()


def build_app(bus: Bus, *services: Service) -> App:
    """An app of the given services on one bus."""
    return App(bus, services)
