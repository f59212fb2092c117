"""No green zombies: a process whose subscribers or jobs have died says so and ends with code 70, to be started anew."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from shared import systemd
from shared.bus import Bus
from shared.errors import EXIT_RESTART

log = logging.getLogger("moodstream.watchdog")

CHECK_EVERY_S = 0.25
STUCK_AFTER_S = 8.0


class Watchdog:
    """Demands that every subscriber runs with live tasks, and that the event loop makes progress."""

    def __init__(self, bus: Bus, leave: Callable[[int], Any] = os._exit) -> None:
        self._bus = bus
        self._leave = leave
        self._progress = time.monotonic()
        self._stopped = threading.Event()

    def fault(self) -> str | None:
        """What is wrong, or None."""
        for subscriber in (one for broker in self._bus.brokers for one in broker.subscribers):
            tasks = getattr(subscriber, "tasks", [])
            if not subscriber.running or not tasks or any(task.done() for task in tasks):
                name = getattr(subscriber, "stream_sub", None)
                return f"the subscriber of {name and name.name} has stopped"
        return None

    async def run(self) -> None:
        """Watch for ever; a thread of its own notices a stuck loop, which no coroutine could."""
        threading.Thread(target=self._guard, name="watchdog", daemon=True).start()
        try:
            while True:
                self._progress = time.monotonic()
                if fault := self.fault():
                    self.end(fault)
                systemd.notify(systemd.ALIVE)
                await asyncio.sleep(CHECK_EVERY_S)
        finally:
            self._stopped.set()

    def end(self, fault: str) -> None:
        log.critical("%s; leaving to be started anew", fault)
        self._leave(EXIT_RESTART)

    def _guard(self) -> None:
        while not self._stopped.wait(CHECK_EVERY_S):
            if time.monotonic() - self._progress > STUCK_AFTER_S:
                self.end(f"the event loop has been stuck for {STUCK_AFTER_S:.0f} s")
                return
