"""Publishing: events wait for a Redis that is away, frames and sounds do not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.exceptions import RedisError

from moodstream.contracts.events import Captured, Event, FrameCaptured
from moodstream.contracts.streams import FROM_PEOPLE, SOUNDS_KEPT, STREAMS
from shared.bus.line_speed import LineSpeed
from shared.bus.message_format import encode_capture
from shared.bus.metrics import Metrics
from shared.bus.outage import REDIS_ERRORS, Outage
from shared.bus.replicas import Replicas
from shared.bus.servers import Servers
from shared.bus.traces import Traces

EVENT_TIMEOUT_S = 30.0
"""An event is tried again for this long while Redis is away."""

CAPTURE_TIMEOUT_S, CAPTURE_ROUND_TRIPS = 1.0, 8
"""A frame or sound is not worth a longer wait. The round trips are those of a connection that has to be made first."""

ON_THE_WAY = 4
"""Frames and sounds that a process sends at a time on a slow line."""

MIN_PAUSE_S, MAX_PAUSE_S = 0.1, 2.0
"""Between tries: doubled each time."""

Add = Callable[[Event], Awaitable[None]]


class Publisher:
    """Adds entries to streams, and deletes them."""

    def __init__(
        self,
        servers: Servers,
        outage: Outage,
        line: LineSpeed,
        *,
        metrics: Metrics,
        traces: Traces,
        replicas: Replicas | None,
        frames_kept: int,
    ) -> None:
        """``replicas``: of servers behind Sentinels."""
        self._servers, self._outage, self._line = servers, outage, line
        self._metrics, self._traces = metrics, traces
        self._replicas = replicas
        self.frames_kept = frames_kept
        """how many wait at most"""
        self.captures_may_pass = True
        """False where the server of the frames is not known to keep them off a disk (shared.delivery.frames_server)"""
        self.captures_dropped = 0
        """since the start"""
        self._on_the_way: set[asyncio.Task[bool]] = set()
        self._captures_pass = True
        """whether Redis took the last one"""

    async def publish(self, event: Event, add: Add | None = None) -> None:
        """Publish an event on its stream; waits with back-off while Redis is away, then raises what Redis raised.

        ``add`` puts it there in another way than ``Publisher.add``.
        """
        with self._traces.making(event):
            await self._add_patiently(event, add or self.add)

    async def _add_patiently(self, event: Event, add: Add) -> None:
        loop = asyncio.get_running_loop()
        what, begun_s = f"publishing {event.type}", loop.time()
        pause_s = MIN_PAUSE_S
        while True:
            try:
                await add(event)
            except REDIS_ERRORS as error:
                self._outage.report(what, error)
                if loop.time() + pause_s > begun_s + EVENT_TIMEOUT_S:
                    raise
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MAX_PAUSE_S)
            else:
                self._outage.resolve(what)
                self._metrics.count_published(event.type, loop.time() - begun_s)
                return

    async def add(self, event: Event) -> None:
        """Publish an event if Redis takes it at once, else raise what Redis raised."""
        stream = STREAMS[type(event)]
        body, name = event.model_dump_json().encode(), self._servers.stream(type(event))
        if self._replicas is None or isinstance(event, FROM_PEOPLE):  # a reading is soon replaced by the next
            await self._servers.broker.publish(body, stream=name, maxlen=stream.kept)
            return
        async with self._servers.redis.pipeline(transaction=False) as both:
            await self._servers.broker.publish(body, stream=name, maxlen=stream.kept, pipeline=both)
            await self._replicas.confirm(both)

    async def confirm(self, pipeline: Any) -> list[Any]:
        """Execute a pipeline; gives the answers, once a second server has what it wrote, where there is one."""
        return list(await pipeline.execute()) if self._replicas is None else await self._replicas.confirm(pipeline)

    async def publish_capture(self, capture: Captured) -> bool:
        """Publish a frame or sound, or drop and count it when Redis does not take it within a second.

        On a slow line (``shared.bus.line_speed``) it may take longer, and the answer is that to the one before, since
        several are on their way at a time.
        """
        if not self.captures_may_pass:
            self._count_dropped(capture)
            return False
        body, stream = await encode_capture(capture), self._servers.capture_stream(type(capture))
        kept = self.frames_kept if isinstance(capture, FrameCaptured) else SOUNDS_KEPT
        if not self._line.many_at_once:
            return await self._add_capture(capture, body, stream, kept)
        while len(self._on_the_way) >= ON_THE_WAY:
            await asyncio.wait(self._on_the_way, return_when=asyncio.FIRST_COMPLETED)
        sending = asyncio.create_task(self._add_capture(capture, body, stream, kept))
        self._on_the_way.add(sending)
        sending.add_done_callback(self._on_the_way.discard)
        return self._captures_pass

    async def _add_capture(self, capture: Captured, body: bytes, stream: str, kept: int) -> bool:
        what = f"publishing {capture.KIND}s"
        try:
            with self._traces.making(capture):
                async with asyncio.timeout(self._line.patience_s(CAPTURE_TIMEOUT_S, CAPTURE_ROUND_TRIPS)):
                    await self._servers.holder(stream).xadd(stream, {"__data__": body}, maxlen=kept, approximate=False)
        except (TimeoutError, RedisError, OSError) as error:
            self._outage.report(what, error)
            self._count_dropped(capture)
            self._captures_pass = False
            return False
        self._outage.resolve(what)
        self._captures_pass = True
        return True

    def _count_dropped(self, capture: Captured) -> None:
        self.captures_dropped += 1
        self._metrics.count_lost(type(capture))

    async def delete_entries(self, stream: str, entry_ids: Sequence[bytes]) -> None:
        """Delete entries; those that Redis does not delete now go when the stream is trimmed."""
        try:
            await self._servers.holder(stream).xdel(stream, *entry_ids)
        except REDIS_ERRORS as error:
            self._outage.report(f"deleting from {stream}", error)
        else:
            self._outage.resolve(f"deleting from {stream}")
