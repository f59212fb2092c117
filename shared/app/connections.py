"""How many connections a process holds, from one address and in all, and how long each may take to ask for something.

The web server itself waits for ever for the headers of a request, and takes any number of connections.
"""

import asyncio
import contextlib
import resource
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.networks import Networks, is_here, network_of

MAX_CONNECTIONS = 2_000
SPARE_FILES = 200
"""Files and connections that a process needs besides: Redis, cameras, receivers."""
RESERVED = 32
"""Places that only this machine itself gets: the kiosk's own page, and health checks."""
WRITE_BYTES = 16 * 1024
"""What a connection may hold that its other end has not read, before its sender waits."""
HEADERS_S = 10.0
"""A request must be complete up to its body within this time after the connection, or after its first byte."""


def raise_file_limit() -> int:
    """Let the process hold as many connections as it may, up to ``MAX_CONNECTIONS``; gives how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        highest = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
            soft = highest
    files = wanted if soft == resource.RLIM_INFINITY else soft
    return max(RESERVED + 1, min(MAX_CONNECTIONS, files - SPARE_FILES))


class Connections:
    """Who holds how many. An address gets at most as many as are still free, so that a few never fill all places."""

    def __init__(self, most: int, proxies: Networks) -> None:
        self._most, self._proxies = most, proxies
        self._of: Counter[str] = Counter()
        self._held: dict[int, str] = {}

    def admit(self, transport: Any) -> bool:
        """Count a new connection, or refuse it."""
        peer = transport.get_extra_info("peername")
        host = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        key = network_of(host)
        free = self._most - len(self._held)
        shares = not (is_here(host) or host in self._proxies)  # a proxy speaks for many
        if shares and (free <= RESERVED or self._of[key] >= free - RESERVED):
            return False
        if free <= 0 or (host in self._proxies and free <= RESERVED):
            return False
        self._of[key] += 1
        self._held[id(transport)] = key
        return True

    def about(self, transport: Any) -> dict[str, Any]:
        """What a request may know of its connection: how to cut it off, and whether a trusted proxy sends it."""
        peer = transport.get_extra_info("peername")
        proxied = isinstance(peer, tuple) and bool(peer) and str(peer[0]) in self._proxies
        return {"abort": transport.abort, "proxied": proxied}

    def release(self, transport: Any) -> None:
        """A connection is gone; more often than once does no harm."""
        key = self._held.pop(id(transport), None)
        if key is not None:
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]

    @property
    def count(self) -> int:
        return len(self._held)


class Http(H11Protocol):
    """uvicorn's protocol with a limit of connections and a time for the headers."""

    def __init__(self, *given: Any, connections: Connections, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits = connections
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if not self._limits.admit(transport):
            transport.abort()
            return
        transport.set_write_buffer_limits(high=WRITE_BYTES)
        self.app_state = {**self.app_state, **self._limits.about(transport)}
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._limits.release(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        idle = self._deadline is None and self._is_between_requests()
        before = self.scope
        super().data_received(data)
        if self.scope is not before:
            self._stop_waiting()
        elif idle:
            self._wait_for_headers()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_S, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
