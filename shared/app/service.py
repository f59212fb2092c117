"""One idea carries the layout: a service is a router, routes and background jobs; an app is any number of them.

A container passes one service to ``build_app``, ``moodstream run`` passes all.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import uvicorn
from faststream.redis import RedisRouter
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from moodstream.errors import MoodstreamError
from shared.app import systemd
from shared.app.heartbeat import Heartbeat
from shared.app.metrics_route import metrics_route
from shared.app.watchdog import Watchdog
from shared.bus.connection import Bus
from shared.delivery.age_limit import AgeLimit
from shared.delivery.consume import create_groups
from shared.delivery.dead_letters import DeadLetters
from shared.delivery.idempotence import Idempotence
from shared.delivery.janitor import Janitor
from shared.delivery.observation import MeasureHandling, TraceEvents
from shared.delivery.retention import Retention
from shared.delivery.stream_metrics import StreamMetrics
from shared.exit_codes import EXIT_FAILED, EXIT_RESTART
from shared.logs import set_up_logging
from shared.settings import Settings

log = logging.getLogger("moodstream.app")

Job = Callable[[], Awaitable[None]]
GRACE_S = 8
CANCEL_AGAIN_S = 0.5
DEAF_S = 1.0
"""After so long without reading, while the process ends, a listener is cut off."""
UNREAD_MS = 60_000
"""A connection that has taken nothing in for so long is dropped by the kernel: its computer is gone, or hangs."""
MAX_END_S = 9.5
"""A process ends within ten seconds after it was asked to."""
WS_MAX_BYTES = 2 * 1024 * 1024 + 1024


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
    told: bool = True
    """whether the streams are told when it works less well"""


def create_bus(settings: Settings) -> Bus:
    """The bus with the rules of delivery that hold for every service."""
    return Bus(settings, middlewares=(TraceEvents, DeadLetters, AgeLimit, Idempotence, MeasureHandling))


@dataclass
class App:
    """A process: its services, the bus between them, and what ended it."""

    bus: Bus
    services: Sequence[Service]
    web: Starlette = field(init=False)
    exit_code: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._watchdog = Watchdog(self.bus)
        self._heartbeat = Heartbeat(self.bus, [service.name for service in self.services if service.told])
        self._jobs: list[tuple[str, asyncio.Future[None]]] = []
        for service in self.services:
            self.bus.broker.include_router(service.router)
        self.web = Starlette(
            routes=[
                Route("/health/live", self._live),
                Route("/health/ready", self._ready),
                metrics_route(
                    StreamMetrics(self.bus),
                    [self.bus.metrics.registry, *(one.metrics for one in self.services if one.metrics is not None)],
                ),
                *(route for service in self.services for route in service.routes),
            ],
            lifespan=self._lifespan,
        )

    async def _live(self, _: Request) -> JSONResponse:
        return JSONResponse({"alive": True})

    async def _ready(self, _: Request) -> JSONResponse:
        fault = self._watchdog.fault() if self.ready.is_set() else "waiting for Redis"
        if fault is None:
            try:
                await self.bus.ping()
            except (RedisError, OSError):
                fault = "Redis does not answer"
        if fault is None and (reason := self.bus.outage.reason):
            fault = f"Redis: {reason}"
        names = [service.name for service in self.services]
        return JSONResponse({"ready": fault is None, "fault": fault, "services": names}, 503 if fault else 200)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self.bus.stopping.set()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.bus.close()

    async def _run(self) -> None:
        try:
            await self.bus.connect()
            await self._all(self._wait_for_redis, *(job for service in self.services for job in service.prepare))
            await self._all(self._start)
            self.ready.set()
            systemd.notify(systemd.READY)
            log.info("%s ready", ", ".join(service.name for service in self.services))
            retention = Retention(self.bus, [service.name for service in self.services])
            upkeep = self._watchdog.run, self._heartbeat.run, Janitor(self.bus).run, retention.run
            await self._all(*upkeep, *(job for service in self.services for job in service.background))
        except Exception as error:
            cause = _first(error)
            if isinstance(cause, MoodstreamError):
                print(f"moodstream: {cause}", file=sys.stderr)
                self.exit(EXIT_FAILED)
            else:
                log.critical("a background job failed", exc_info=cause)
                self.exit(EXIT_RESTART)

    async def _all(self, *jobs: Job) -> None:
        """Run jobs side by side; the first that raises ends the others."""
        self._jobs = [(getattr(job, "__qualname__", repr(job)), asyncio.ensure_future(_coroutine(job))) for job in jobs]
        tasks = {task for _, task in self._jobs}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            # more than once: a library that is cancelled while it mends a connection may lose the cancellation
            while pending := {task for task in tasks if not task.done()}:
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)

    async def _wait_for_redis(self) -> None:
        await self._insist(self._make_groups)

    async def _make_groups(self) -> None:
        await self.bus.ping()
        await create_groups(self.bus)

    async def _start(self) -> None:
        """Redis may have gone again, and emptied, while something was prepared."""

        async def start() -> None:
            await self._make_groups()
            for broker in self.bus.brokers:
                try:
                    await broker.start()
                except BaseException:  # those that run already would read twice after the next start
                    for subscriber in broker.subscribers:
                        begun = list(getattr(subscriber, "tasks", ()))
                        await subscriber.stop()
                        for task in begun:
                            task.add_done_callback(_hear)
                    raise

        await self._insist(start)

    async def _insist(self, job: Job) -> None:
        pause = 0.1
        while True:
            try:
                await job()
                self.bus.outage.resolve("starting")
                return
            except (TimeoutError, RedisError, OSError) as error:
                self.bus.outage.report("starting", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5.0)

    def give_up(self) -> None:
        """The end takes too long: leave without it."""
        log.critical("%s: does not end; leaving without it", ", ".join(sorted(self._running())) or "the web server")
        os._exit(self.exit_code or EXIT_FAILED)

    def _running(self) -> set[str]:
        return {name for name, task in self._jobs if not task.done()}

    def exit(self, code: int = 0) -> None:
        """End the process in good order, with this code."""
        self.exit_code = code
        self.bus.stopping.set()


def _hear(task: asyncio.Task[object]) -> None:
    """Take note of what a task of a start that failed has failed of; the start itself is told of."""
    if not task.cancelled():
        task.exception()


def _first(error: BaseException) -> BaseException:
    """What a job with jobs of its own failed of."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _coroutine(job: Job) -> None:
    await job()


def build_app(bus: Bus, *services: Service) -> App:
    """An app of the given services on one bus."""
    return App(bus, services)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises MoodstreamError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; every connection inherits it
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise MoodstreamError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another MOODSTREAM_PORT"
        ) from None
    sock.listen(128)
    return sock


class _Server(uvicorn.Server):
    """Ends on a signal with the app's exit code, where uvicorn's own would die of the signal it was sent."""

    def __init__(self, app: App, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app.web,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
                lifespan="on",
                ws_max_size=WS_MAX_BYTES,
                ws_per_message_deflate=False,  # a third of a megabyte per listener, and pictures are packed already
                server_header=False,
                proxy_headers=bool(settings.proxies),
                forwarded_allow_ips=settings.proxies,
                ssl_certfile=settings.tls_certificate,
                ssl_keyfile=settings.tls_key,
            )
        )
        self._app = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._app.bus.stopping.set)
        stop = loop.create_task(self._stop())
        try:
            yield
        finally:
            stop.cancel()

    async def _stop(self) -> None:
        await self._app.bus.stopping.wait()
        self.should_exit = True
        deadline = threading.Timer(MAX_END_S, self._app.give_up)
        deadline.daemon = True  # it ends with the process, which ends first when all is well
        deadline.start()
        await asyncio.sleep(DEAF_S)
        self._cut_off()

    def _cut_off(self) -> None:
        """Whoever does not read is waited for by its transport, for ever; nothing else would end that."""
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()


def serve(app: App, sock: socket.socket, settings: Settings) -> int:
    """Run until SIGTERM, SIGINT or the end of the work; returns the exit code. Raises MoodstreamError."""
    server = _Server(app, settings)
    try:
        server.config.load()
    except OSError as error:  # ssl.SSLError is one
        raise MoodstreamError(f"MOODSTREAM_TLS_CERTIFICATE or _TLS_KEY: {error.strerror or error}") from None
    asyncio.run(server.serve(sockets=[sock]))
    return app.exit_code


def run_service(create: Callable[[], tuple[Settings, Bus, Service]]) -> int:
    """The main function of a service that runs alone."""
    try:
        settings, bus, service = create()
        handler = set_up_logging(settings.log_level, settings.log_format)
        bus.metrics.show_suppressed_lines(lambda: handler.suppressed)
        sock = listen(settings.host, settings.port)
        log.info("%s listens on %s://%s:%d", service.name, settings.scheme, *sock.getsockname()[:2])
        return serve(build_app(bus, service), sock, settings)
    except MoodstreamError as error:
        print(f"moodstream: {error}", file=sys.stderr)
        return EXIT_FAILED
