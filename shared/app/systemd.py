"""Notifications to systemd: ready, and alive (``Type=notify``, ``WatchdogSec=``). Without systemd they do nothing."""

import os
import socket

READY, ALIVE = "READY=1", "WATCHDOG=1"
"""There is no STOPPING=1: the parent of `moodstream run` restarts its child, and systemd watches the parent."""


def notify(state: str) -> None:
    """Send a state as sd_notify(3) does; errors are ignored."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
    except OSError:
        return
