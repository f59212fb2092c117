"""The Redis servers of a site, one or two of them: their brokers and clients, and the names of keys."""

import asyncio
from collections.abc import Sequence
from typing import Any

from faststream.redis import RedisBroker, RedisSentinelBroker

from moodstream import cluster, sentinel
from moodstream.addresses import check_redis, without_password
from moodstream.cancellation import connection_class
from moodstream.contracts.events import Captured, Event
from moodstream.contracts.streams import CAPTURES, STREAMS
from moodstream.errors import MoodstreamError
from shared.bus.message_format import BareJson
from shared.settings import Settings

ONE_OF_A_CLUSTER = "belongs to a cluster; its address begins with redis+cluster://"
A_SENTINEL = "is a Sentinel; its address begins with redis+sentinel://"


class Servers:
    """Nothing connects before ``connect``."""

    def __init__(self, settings: Settings, middlewares: Sequence[Any] = ()) -> None:
        """Raises MoodstreamError for an address that cannot be right."""
        for url in (settings.redis_url, settings.frames_redis_url):
            if url is not None:
                check_redis(url)
        self.prefix = settings.prefix
        self.broker = self.frames_broker = _broker(settings.address(settings.redis_url), middlewares)
        self.addresses = [without_password(settings.redis_url)]
        """as people may see them"""
        frames_url = settings.frames_redis_url or settings.redis_url
        if frames_url != settings.redis_url:
            self.frames_broker = _broker(settings.address(frames_url), middlewares)
            self.addresses.append(without_password(frames_url))
        self._redis: Any = None
        self._frames: Any = None

    @property
    def brokers(self) -> list[RedisBroker]:
        """One, or two where the frames have a server of their own."""
        return [self.broker] if self.frames_broker is self.broker else [self.broker, self.frames_broker]

    @property
    def redis(self) -> Any:
        """The client of redis-py (answers are bytes). Any, because its types leave open whether it decodes."""
        if self._redis is None:
            raise RuntimeError("the bus is not connected yet")
        return self._redis

    @property
    def frames(self) -> Any:
        """The client of the server that holds the frames."""
        if self._frames is None:
            raise RuntimeError("the bus is not connected yet")
        return self._frames

    def holder(self, stream: str) -> Any:
        """The client of the server that holds a stream, whose name has the prefix."""
        return self._frames if stream.removeprefix(self.prefix) in CAPTURES.values() else self.redis

    def capture_stream(self, kind: type[Captured]) -> str:
        """The stream of this site that holds frames or sounds."""
        return self.key(CAPTURES[kind])

    def key(self, *parts: str) -> str:
        """A key or stream of this site."""
        return self.prefix + ":".join(parts)

    def stream(self, event: type[Event]) -> str:
        """The stream of this site that holds events of a type."""
        return self.key(STREAMS[event].name)

    async def connect(self) -> None:
        """Make the clients; they open connections only when they are used."""
        self._redis = await self.broker.connect()
        self._frames = self._redis if self.frames_broker is self.broker else await self.frames_broker.connect()

    def clients(self) -> list[tuple[str, Any]]:
        """Each server once, with its address as people may see it."""
        return list(zip(self.addresses, (self.redis, self.frames), strict=False))

    async def ping(self) -> None:
        """Raises RedisError or OSError when a server does not answer."""
        await asyncio.gather(*(client.ping() for _, client in self.clients()))

    async def check_kind(self) -> None:
        """Raises MoodstreamError for what the address calls a server and is none, or a server that it calls a cluster.

        Every server says what it is in its greeting, whatever rights a user has.
        """
        for address, client in self.clients():
            if cluster.is_cluster(address):
                await client.connection_pool.connection_class.leader.find()
                continue
            greeting = await client.execute_command("HELLO")
            said = greeting.values() if isinstance(greeting, dict) else greeting
            for mode, what in ((b"cluster", ONE_OF_A_CLUSTER), (b"sentinel", A_SENTINEL)):
                if mode in said:
                    raise MoodstreamError(f"{address} {what}")

    async def close(self) -> None:
        for client in {self._redis, self._frames} - {None}:
            await sentinel.forget(client)
        for broker in self.brokers:
            await broker.stop()


class _Silent:
    """FastStream's own log would repeat, with tracebacks, what ``dead_letters`` and ``watchdog`` log in one line."""

    def log(self, level: int, msg: Any, /, *, exc_info: Any = None, extra: Any = None) -> None:
        """Log nothing."""


def _broker(url: str, middlewares: Sequence[Any]) -> RedisBroker:
    options: dict[str, Any] = {
        "message_format": BareJson,
        "middlewares": middlewares,
        "socket_timeout": 3,
        "socket_connect_timeout": 2,
        "health_check_interval": 15,
        "graceful_timeout": 8,
        "logger": _Silent(),
    }
    if sentinel.is_sentinel(url):
        return RedisSentinelBroker(**sentinel.broker_options(url), **options)
    if cluster.is_cluster(url):
        # Not FastStream's RedisClusterBroker: a site is one slot, so one node at a time, and what needs one connection
        # to one server (WAIT after an event, transactions, PING, INFO) stays as it is.
        address = cluster.parse(url)
        host, port = address.nodes[0]
        kind = cluster.connection_class(address)
        return RedisBroker(f"redis://{host}:{port}", connection_class=kind, **address.options, **options)
    return RedisBroker(url, connection_class=connection_class(url), **options)
