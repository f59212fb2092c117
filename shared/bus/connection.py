"""The connection of a process to Redis: publish events and frames, follow streams, ask and be answered.

``Bus`` puts the parts together: ``servers``, ``publisher``, ``follower`` and ``asking`` each do one of these.
"""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeVar

from faststream.redis import RedisBroker
from pydantic import BaseModel

from moodstream import cluster, sentinel
from moodstream.contracts.events import Event, FrameCaptured, SoundCaptured
from moodstream.contracts.requests import Request
from shared.bus import asking
from shared.bus.follower import BLOCK_MS, NOBODY, Follower, PutAside
from shared.bus.line_speed import LineSpeed
from shared.bus.metrics import Metrics
from shared.bus.outage import Outage
from shared.bus.publisher import Add, Publisher
from shared.bus.replicas import Replicas
from shared.bus.servers import Servers
from shared.bus.traces import Traces
from shared.settings import Settings

R = TypeVar("R", bound=BaseModel)


class Bus:
    """What the services of a process know of Redis. Nothing connects before ``connect``."""

    def __init__(self, settings: Settings, middlewares: Sequence[Any] = ()) -> None:
        self.events_kept_days = settings.events_kept_days
        self.consumer = f"{socket.gethostname()}-{os.getpid()}"
        """what this process is called in consumer groups"""
        self.stopping = asyncio.Event()
        """set when the process begins to end; whatever holds a connection open lets go of it"""
        self.traces = Traces(
            settings.traces_url, settings.traces_fraction, prefix=settings.prefix, instance=self.consumer
        )
        self.metrics = Metrics()
        self.servers = Servers(settings, middlewares)
        self.outage = Outage(" and ".join(self.servers.addresses))
        self.line = LineSpeed()
        """how long round trips take; every time-out around Redis goes by it"""
        self.publisher = Publisher(
            self.servers,
            self.outage,
            self.line,
            metrics=self.metrics,
            traces=self.traces,
            replicas=_replicas(settings.redis_url),
            frames_kept=settings.frames_kept,
        )
        self.follower = Follower(self.servers, self.outage, self.line, self.stopping)
        for broker in self.brokers:
            broker.context.set_global("bus", self)

    @property
    def prefix(self) -> str:
        """Begins the names of all keys and streams of this site."""
        return self.servers.prefix

    @property
    def broker(self) -> RedisBroker:
        """That of the events."""
        return self.servers.broker

    @property
    def brokers(self) -> list[RedisBroker]:
        """One, or two where the frames have a server of their own."""
        return self.servers.brokers

    @property
    def redis(self) -> Any:
        """The client of redis-py; see ``Servers.redis``."""
        return self.servers.redis

    @property
    def frames(self) -> Any:
        """The client of the server that holds the frames."""
        return self.servers.frames

    def holder(self, stream: str) -> Any:
        """The client of the server that holds a stream, whose name has the prefix."""
        return self.servers.holder(stream)

    def key(self, *parts: str) -> str:
        """A key or stream of this site."""
        return self.servers.key(*parts)

    def stream(self, event: type[Event]) -> str:
        """The stream of this site that holds events of a type."""
        return self.servers.stream(event)

    async def connect(self) -> None:
        """Make the clients; they open connections only when they are used."""
        await self.servers.connect()

    async def ping(self) -> None:
        """Raises RedisError or OSError when a server does not answer."""
        await self.servers.ping()

    async def measure_line(self) -> None:
        """Ask each server for a sign of life, and note how long that took. Raises RedisError or OSError."""
        for address, client in self.servers.clients():
            begun_s = time.monotonic()
            await client.ping()
            self.line.note(address, time.monotonic() - begun_s)

    async def close(self) -> None:
        """Close all connections, and send the traces that are left."""
        await self.servers.close()
        await asyncio.to_thread(self.traces.close)

    async def publish(self, event: Event, add: Add | None = None) -> None:
        """Publish an event; see ``Publisher.publish``."""
        await self.publisher.publish(event, add)

    async def publish_frame(self, frame: FrameCaptured) -> bool:
        """Publish a frame, or drop and count it when Redis does not take it within a second."""
        return await self.publisher.publish_capture(frame)

    async def publish_sound(self, sound: SoundCaptured) -> bool:
        """Publish a sound, or drop and count it when Redis does not take it within a second."""
        return await self.publisher.publish_capture(sound)

    def follow(
        self,
        start: dict[type[Event], str],
        block_ms: int = BLOCK_MS,
        gather_ms: int = 0,
        put_aside: Mapping[type[Event], PutAside] = NOBODY,
    ) -> AsyncIterator[tuple[str, Event] | None]:
        """Entries after the given ids as (entry id, event), until the process ends; see ``Follower.follow``."""
        return self.follower.follow(start, block_ms, gather_ms, put_aside)

    async def last_id(self, event: type[Event]) -> str:
        """Id of the newest entry of a stream, "0-0" when it is empty."""
        return await self.follower.last_id(event)

    async def newest(self, event: type[Event], count: int) -> list[Event]:
        """The newest events of a stream, newest first."""
        return await self.follower.newest(event, count)

    async def newest_entries(self, event: type[Event], count: int) -> list[tuple[str, Event]]:
        """The newest entries of a stream as (entry id, event), newest first; see ``Follower.newest_entries``."""
        return await self.follower.newest_entries(event, count)

    def parse(self, stream: str, fields: dict[bytes, bytes], entry_id: bytes) -> Event | None:
        """The event in an entry of a stream; None, with a warning, when there is none."""
        return self.follower.parse(stream, fields, entry_id)

    async def ask(self, request: Request[R], timeout_s: float = asking.TIMEOUT_S) -> R:
        """Ask whichever service answers this kind. Raises RequestRefused, or NoAnswer when nobody answers in time.

        ``timeout_s`` is for a fast line to Redis; on a slow one it is longer.
        """
        within_s = self.line.patience_s(timeout_s, asking.ROUND_TRIPS)
        return await asking.ask(self.publisher, self.follower, request, within_s)


def _replicas(url: str) -> Replicas | None:
    """None where there is one server alone."""
    if cluster.is_cluster(url):
        return Replicas(cluster.is_deposed)
    return Replicas(sentinel.is_deposed) if sentinel.is_sentinel(url) else None
