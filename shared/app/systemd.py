"""Telling systemd that the service is ready and lives (``Type=notify``, ``WatchdogSec=``); nothing elsewhere."""

import os
import socket

READY, ALIVE = "READY=1", "WATCHDOG=1"
"""Of the child of ``run``: that it is about to end is not told, since its parent starts it anew."""


def notify(state: str) -> None:
    """Send a state as sd_notify(3) does; a systemd that does not listen is no fault of ours."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
    except OSError:
        return
