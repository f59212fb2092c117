"""Webhooks: every receiver has its own queue and its own worker, so that none waits for another.

A message is tried for a day, ever less often. One that failed because nobody answered is tried again as soon as the
receiver takes any other. A receiver may get a message twice; it knows it again by ``webhook-id``.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence

from redis.exceptions import RedisError

from moodstream.contracts.events import Event
from services.bridge.webhooks.outbox import MAX_WAITING, Letter, Outbox
from services.bridge.webhooks.receivers import Receiver
from services.bridge.webhooks.sender import Answer, Sender, payload
from shared.bus.connection import Bus

log = logging.getLogger("moodstream.bridge")

HOUR_S = 3600.0
PAUSES_S: tuple[float, ...] = (5, 30, 300, 1800, 2 * HOUR_S, 5 * HOUR_S, 8 * HOUR_S, 8.5 * HOUR_S)
"""Between the attempts; a day in all."""

CHECK_EVERY_S = 1.0
JITTER = 0.1
NOTED_AT_ONCE = 4


class Webhook:
    """One receiver."""

    def __init__(
        self, bus: Bus, receiver: Receiver, pauses_s: Sequence[float] = PAUSES_S, max_waiting: int = MAX_WAITING
    ) -> None:
        self.receiver = receiver
        self._pauses_s = pauses_s
        self._outage, self._line = bus.outage, bus.line
        self._noting: set[asyncio.Future[None]] = set()
        """what became of letters, on its way to Redis: on a slow line the next one is sent meanwhile"""
        self._outbox = Outbox(bus, receiver.name, max_waiting)
        self._news = asyncio.Event()

    async def put(self, event: Event) -> None:
        """Queue an event, unless the receiver does not want it."""
        if not self.receiver.wants(event) or await self._is_disabled():
            return
        if await self._outbox.put(event.id, payload(event)):
            log.warning("webhook %s: its queue is full; dropped what failed most often", self.receiver.name)
        self._news.set()

    async def read_state(self) -> dict[str, str | int]:
        """What waits, what was delivered and what went wrong."""
        return {"name": self.receiver.name, "url": self.receiver.url, **await self._outbox.read_standing()}

    async def enable(self) -> None:
        """Send again, although it had answered that it is gone."""
        await self._outbox.enable()

    async def run(self) -> None:
        """Deliver for ever."""
        sender = Sender(self.receiver)
        try:
            while True:
                try:
                    await self._noted(all_=False)
                    found = await self._take_letter()
                    if isinstance(found, Letter):
                        await self._deliver(found, sender)
                    else:
                        await self._wait(found)
                    self._outage.resolve(f"webhook {self.receiver.name}")
                except (RedisError, OSError) as error:
                    self._outage.report(f"webhook {self.receiver.name}", error)
                    await asyncio.sleep(1)
        finally:
            await asyncio.gather(*self._noting, return_exceptions=True)
            await sender.close()

    async def _is_disabled(self) -> bool:
        return await self._outbox.disabled_at() == self.receiver.url

    async def _wait(self, due_s: float | None) -> None:
        try:
            async with asyncio.timeout(CHECK_EVERY_S if due_s is None else min(due_s, CHECK_EVERY_S)):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _take_letter(self) -> Letter | float | None:
        """The next letter, or the seconds until one is due.

        Stopped before the answer came, it gives back what Redis has held for us meanwhile.
        """
        taking = asyncio.ensure_future(self._outbox.take_next())
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            if isinstance(letter := await taking, Letter):
                await self._outbox.release(letter)
            raise

    async def _deliver(self, letter: Letter, sender: Sender) -> None:
        try:
            answer = await sender.send(letter.id, letter.body)
        except asyncio.CancelledError:  # stopped in the middle: who starts next need not wait for the lease to end
            await self._outbox.release(letter)
            raise
        self._noting.add(asyncio.ensure_future(self._note(letter, answer)))
        if not self._line.many_at_once:
            await self._noted()
        elif len(self._noting) >= NOTED_AT_ONCE:
            await asyncio.wait(self._noting, return_when=asyncio.FIRST_COMPLETED)

    async def _noted(self, *, all_: bool = True) -> None:
        """Raises what noting has raised: of all that were sent, or of those that are noted by now."""
        for noting in list(self._noting):
            if all_ or noting.done():
                try:
                    await asyncio.shield(noting)
                except asyncio.CancelledError:  # noted by half, the letter would wait until its lease ends
                    with contextlib.suppress(RedisError, OSError):
                        await noting
                    raise
                finally:
                    self._noting.discard(noting)

    async def _note(self, letter: Letter, answer: Answer) -> None:
        """What follows from the receiver's answer."""
        name = self.receiver.name
        if answer.accepted:
            others_wait = await self._outbox.remove(letter.id, "delivered")
            if others_wait and (back := await self._outbox.retry_unreachable()):
                log.info("webhook %s is back; %d messages that waited are sent", name, back)
            return
        await self._outbox.set_last_error(answer.reason)
        if answer.gone:
            log.error(
                "webhook %s says that it is gone; `moodstream webhooks enable %s` makes it send again", name, name
            )
            await self._outbox.disable(self.receiver.url)
        elif letter.tries >= len(self._pauses_s):
            log.error("webhook %s: a message was given up after %d attempts: %s", name, letter.tries + 1, answer.reason)
            await self._outbox.remove(letter.id, "given_up")
        else:
            pause_s = max(self._pauses_s[letter.tries] * random.uniform(1 - JITTER, 1 + JITTER), answer.rest_s)
            log.warning("webhook %s: %s; tried again in %.0f s", name, answer.reason, pause_s)
            await self._outbox.retry_later(letter, pause_s, answer.unreachable)
