"""The web server of a process: listen, run an app until a signal or the end of its work, end in time."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any, cast

import uvicorn

from moodstream.errors import MoodstreamError
from shared.app.connections import Connections, Http, raise_file_limit
from shared.app.host_guard import HostGuard
from shared.app.jobs import SHUTDOWN_TIMEOUT_S
from shared.app.listening import listen
from shared.app.request_guard import RequestGuard
from shared.app.service import App, Service, build_app
from shared.bus.connection import Bus
from shared.core_dumps import forbid_core_dumps
from shared.exit_codes import EXIT_FAILED
from shared.host_names import HostNames, parse_host_names
from shared.logs import set_up_logging
from shared.networks import parse_networks
from shared.settings import Settings

log = logging.getLogger("moodstream.app")

REQUEST_TIMEOUT_S = 8
"""How long open requests may take to finish during shutdown."""
STALLED_READER_S = 1.0
"""During shutdown, a client that has read nothing for this long is cut off."""
WEBSOCKET_MAX_BYTES = 2 * 1024 * 1024 + 1024


def _websockets(connections: Connections) -> Any:
    """The protocol of WebSockets, where the package for them is installed: services without pages do without."""
    if find_spec("websockets") is None:
        return "none"
    from shared.app.websocket_connections import WebSockets

    return partial(WebSockets, connections=connections)


class _Server(uvicorn.Server):
    """Ends on a signal with the app's exit code, where uvicorn's own would die of the signal it was sent."""

    def __init__(self, app: App, settings: Settings) -> None:
        proxies = parse_networks(settings.proxies, "MOODSTREAM_PROXIES")
        connections = Connections(raise_file_limit(), proxies)
        names = HostNames(parse_host_names(settings.host_names), [service.name for service in app.services])
        super().__init__(
            uvicorn.Config(
                HostGuard(RequestGuard(app.web, settings.requests_per_s, app.costs), names),
                http=cast("type[asyncio.Protocol]", partial(Http, connections=connections)),
                ws=_websockets(connections),
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=REQUEST_TIMEOUT_S,
                lifespan="on",
                ws_max_size=WEBSOCKET_MAX_BYTES,
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
        deadline = threading.Timer(SHUTDOWN_TIMEOUT_S, exit_at_once, [self._app])
        deadline.daemon = True  # it ends with the process, which ends first when all is well
        deadline.start()
        await asyncio.sleep(STALLED_READER_S)
        self._cut_off_stalled_readers()

    def _cut_off_stalled_readers(self) -> None:
        """A transport waits for ever for a client that does not read; nothing else would end that."""
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()


def exit_at_once(app: App) -> None:
    """End the process without what has not ended in time."""
    log.critical("shutdown timed out waiting for: %s; exiting", ", ".join(app.unfinished()) or "the web server")
    os._exit(app.exit_code or EXIT_FAILED)


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
        forbid_core_dumps()
        settings, bus, service = create()
        handler = set_up_logging(settings.log_level, settings.log_format)
        bus.metrics.show_suppressed_lines(lambda: handler.suppressed)
        sock = listen(settings.host, settings.port)
        log.info("%s listens on %s://%s:%d", service.name, settings.scheme, *sock.getsockname()[:2])
        return serve(build_app(bus, service), sock, settings)
    except MoodstreamError as error:
        print(f"moodstream: {error}", file=sys.stderr)
        return EXIT_FAILED
