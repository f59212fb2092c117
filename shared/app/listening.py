"""The socket of a process's web server; whoever only opens it need not load the server."""

import socket

from moodstream.errors import MoodstreamError
from moodstream.host_names import can_be_host

UNACKNOWLEDGED_MS = 60_000
"""The kernel drops a connection whose other end has acknowledged nothing for this long: that computer is gone."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises MoodstreamError when the port is taken, or the host cannot be one."""
    if host and not can_be_host(host):
        raise MoodstreamError(f"MOODSTREAM_HOST: {host!r} is no name or address of this machine")
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
            f"cannot listen on {host_in_url(host)}:{port}: {error.strerror}; choose another MOODSTREAM_PORT"
        ) from None
    sock.listen(128)
    return sock


def host_in_url(host: str) -> str:
    """As it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def page_address(scheme: str, host: str, port: int) -> str:
    """Where a browser on this machine finds the page of a server that listens there."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104
    return f"{scheme}://{host_in_url(shown)}:{port}"
