"""Of all player processes one leads, by a lease; the others wait for it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from services.player.conductor import Conductor
from services.player.metrics import Metrics
from services.player.outputs import Output
from services.player.programme.rules import Rules
from services.player.programme.state_machine import Programme
from services.player.saved_state import LeaseLost, StateStore
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.bus.lease import RENEW_S, Lease

log = logging.getLogger("moodstream.player")

RETRY_S = 1.0


class Leader:
    """Makes a conductor whenever it gets the lease; that one knows what the player before has saved."""

    def __init__(
        self,
        bus: Bus,
        output: Output,
        rules: Rules,
        desk: SettingsDesk[Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus, self._output, self._rules, self._desk, self._clock = bus, output, rules, desk, clock
        self.metrics = Metrics(output.name)
        self._lease = Lease(bus, "player")
        self._store = StateStore(bus, self._lease)
        self._conductor: Conductor | None = None

    def check_output_now(self) -> None:
        """Somebody has signed in, for example. A player that does not lead has no use for it."""
        if self._conductor is not None:
            self._conductor.check_output_now()

    def change_rules(self, rules: Rules) -> None:
        """From now on, also for the next time of leading."""
        self._rules = rules
        if self._conductor is not None:
            self._conductor.change_rules(rules)

    async def run(self) -> None:
        """Lead whenever the lease can be had, until the process ends."""
        try:
            while not self._bus.stopping.is_set():
                await self._lead_or_wait()
        finally:
            with contextlib.suppress(RedisError, OSError):
                await self._lease.release()
            await self._output.close()

    async def _lead_or_wait(self) -> None:
        try:
            leads = await self._lease.ask()
            self._bus.outage.resolve("leading the player")
            if leads:
                await self._lead()
            else:
                await asyncio.sleep(RENEW_S)
        except* (RedisError, OSError) as error:  # away, full, or a right was taken: until it is mended
            self._bus.outage.report("leading the player", error.exceptions[0])
            await asyncio.sleep(RETRY_S)
        except* LeaseLost:
            log.warning("another player leads now")

    async def _lead(self) -> None:
        state = await self._store.load()
        programme = Programme(self._rules, state.programme)
        self._conductor = Conductor(
            self._bus, self._lease, self._store, state, programme, self._output, self.metrics, self._desk, self._clock
        )
        try:
            await self._conductor.run()
        finally:
            self._conductor = None
            self.metrics.stands_by()
