"""Ports for servers that a test starts, which nothing else takes between the choice and the start.

They lie below those that Linux gives to outgoing connections, and each test runner has a part of its own.
"""

import os
import socket
from itertools import cycle

FIRST, LAST = 12_000, 30_000
RUNNERS = 6
"""Parts; runners of pytest-xdist beyond these share them, from different beginnings."""


def _ports() -> "cycle[int]":
    runner = os.environ.get("PYTEST_XDIST_WORKER", "")
    number = int(runner.removeprefix("gw")) % (RUNNERS - 1) if runner else RUNNERS - 1
    size = (LAST - FIRST) // RUNNERS
    begin = os.getpid() % size  # a run that follows another does not meet what that one has left
    first = FIRST + number * size
    return cycle(first + (begin + step) % size for step in range(size))


_coming = _ports()


def free_port() -> int:
    """A port of TCP and UDP that is free on every address of this machine."""
    for port in _coming:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as sock:
                    sock.bind(("", port))
        except OSError:
            continue
        return port
    raise AssertionError("unreachable")
