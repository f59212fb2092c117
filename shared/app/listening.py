"""The socket of a process's web server; whoever only opens it need not load the server."""

import socket

from moodstream.errors import MoodstreamError

UNACKNOWLEDGED_MS = 60_000
"""The kernel drops a connection whose other end has acknowledged nothing for this long: that computer is gone."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises MoodstreamError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; every connection inherits it
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise MoodstreamError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another MOODSTREAM_PORT"
        ) from None
    sock.listen(128)
    return sock
