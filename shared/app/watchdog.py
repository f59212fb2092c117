"""No green zombies: a process whose subscribers or jobs have died says so and ends with code 70, to be started anew.

A subscriber that Redis has refused, for want of memory, disk or a right, is started again here instead: a new process
would be refused as well.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from shared.app import systemd
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.delivery.consume import create_groups
from shared.exit_codes import EXIT_RESTART
from shared.tasks import end_tasks

log = logging.getLogger("moodstream.watchdog")

CHECK_EVERY_S = 0.25
STUCK_AFTER_S = 8.0
MAX_PAUSE_S = 5.0


class Watchdog:
    """Demands that every subscriber runs with live tasks, and that the event loop makes progress."""

    def __init__(self, bus: Bus, leave: Callable[[int], Any] = os._exit) -> None:
        self._bus = bus
        self._leave = leave
        self._rounds = 0
        self._stopped = threading.Event()
        self._reviving: dict[int, asyncio.Task[None]] = {}

    def fault(self) -> str | None:
        """What is wrong, or None."""
        for subscriber in self._dead():
            return f"the subscriber of {_stream(subscriber)} has stopped"
        return None

    async def run(self) -> None:
        """Watch for ever; a thread of its own notices a stuck loop, which no coroutine could."""
        threading.Thread(target=self._guard, name="watchdog", daemon=True).start()
        try:
            while True:
                self._rounds += 1
                for subscriber in self._dead():
                    if id(subscriber) not in self._reviving:
                        self._care_for(subscriber)
                systemd.notify(systemd.ALIVE)
                await asyncio.sleep(CHECK_EVERY_S)
        finally:
            self._stopped.set()
            await end_tasks(*self._reviving.values())

    def end(self, fault: str) -> None:
        log.critical("%s; leaving to be started anew", fault)
        self._leave(EXIT_RESTART)

    def _dead(self) -> list[Any]:
        subscribers = (one for broker in self._bus.brokers for one in broker.subscribers)
        return [one for one in subscribers if not _lives(one)]

    def _care_for(self, subscriber: Any) -> None:
        refusal = _refusal_of(subscriber)
        if refusal is None:
            self.end(f"the subscriber of {_stream(subscriber)} has stopped")
            return
        task = asyncio.create_task(self._revive(subscriber, refusal))
        self._reviving[id(subscriber)] = task
        task.add_done_callback(lambda _: self._reviving.pop(id(subscriber), None))

    async def _revive(self, subscriber: Any, refusal: BaseException) -> None:
        """Start it again, less and less often, until it lives. Its group may be gone meanwhile: then it begins at 0."""
        what, pause_s = f"reading {_stream(subscriber)}", 1.0
        while True:
            self._bus.outage.report(what, refusal)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)
            try:
                await create_groups(self._bus)
                await subscriber.stop()
                await subscriber.start()
                await asyncio.sleep(CHECK_EVERY_S)
            except (TimeoutError, *REDIS_ERRORS) as error:
                refusal = error
                continue
            if _lives(subscriber):
                self._bus.outage.resolve(what)
                return
            refusal = _refusal_of(subscriber) or refusal

    def _guard(self) -> None:
        """Counts its own rounds instead of looking at a clock: one that was stopped with the loop blames nobody."""
        seen, without = 0, 0
        while not self._stopped.wait(CHECK_EVERY_S):
            seen, without = (self._rounds, 0) if self._rounds != seen else (seen, without + 1)
            if without * CHECK_EVERY_S > STUCK_AFTER_S:
                self.end(f"the event loop has been stuck for {STUCK_AFTER_S:.0f} s")
                return


def _lives(subscriber: Any) -> bool:
    return bool(subscriber.running and subscriber.tasks and not any(task.done() for task in subscriber.tasks))


def _refusal_of(subscriber: Any) -> BaseException | None:
    """What Redis said when it ended a subscriber's task."""
    errors = [task.exception() for task in subscriber.tasks if task.done() and not task.cancelled()]
    return next((error for error in errors if isinstance(error, RedisError)), None)


def _stream(subscriber: Any) -> str:
    return str(getattr(getattr(subscriber, "stream_sub", None), "name", "a stream"))
