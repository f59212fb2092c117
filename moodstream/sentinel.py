"""Redis that outlives a server: one address names the Sentinels, and the clients follow whichever server leads.

    redis+sentinel://user:password@host1,host2:26380,host3/moodstream/0?sentinel_password=...

``moodstream`` is the name that the Sentinels give to the servers, ``0`` the database. User and password are those of
the servers; the Sentinels have their own, if any (``sentinel_username``, ``sentinel_password``).
``rediss+sentinel://`` speaks TLS with both, with the parameters that redis-py knows for it (``ssl_ca_certs=...``).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.connection import ConnectionPool as AsyncConnectionPool
from redis.asyncio.connection import parse_url as parse_async_url
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import MasterNotFoundError as AsyncMasterNotFoundError
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelManagedConnection as AsyncConnection
from redis.asyncio.sentinel import SentinelManagedSSLConnection as AsyncTlsConnection
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool, parse_url
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection

from moodstream import cluster
from moodstream.cancellation import Heedful, connection_class
from moodstream.errors import MoodstreamError
from moodstream.host_names import host_and_port

SCHEMES = ("redis+sentinel", "rediss+sentinel")
PORT = 26379
PATIENCE_S = 1.0
"""A Sentinel that does not answer within this is passed over for the next; all of them know the same."""

_LEADS_NO_MORE = ("UNBLOCKED", "NOREPLICAS", "MASTERDOWN")
"""What a server says that has just been demoted, or that may not write because it is alone."""


@dataclass(frozen=True)
class Address:
    """An address, taken apart."""

    sentinels: tuple[tuple[str, int], ...]
    master: str
    server_url: str
    """``redis://`` address whose host means nothing: user, password, database and parameters of the servers"""
    tls: bool
    login: Mapping[str, str]
    """user name and password of the Sentinels themselves"""


def is_sentinel(url: str) -> bool:
    return url.partition("://")[0] in SCHEMES


def parse(url: str) -> Address:
    """Take an address apart. Raises MoodstreamError, without its password, when it cannot be right."""
    try:
        parts = urlsplit(url)
        login, _, hosts = parts.netloc.rpartition("@")
        sentinels = tuple(host_and_port(host, PORT) for host in hosts.split(","))
        master, _, database = parts.path.strip("/").partition("/")
        if not master or not (database or "0").isdecimal():
            raise ValueError("after the hosts come the name of the servers and the database")
    except ValueError as error:
        raise MoodstreamError(
            f"an address of Sentinels reads redis+sentinel://USER:PASSWORD@HOST1,HOST2,HOST3/NAME/0: {error}"
        ) from None
    query = dict(parse_qsl(parts.query))
    own = {name: query.pop(f"sentinel_{name}", "") for name in ("username", "password")}
    tls = parts.scheme.startswith("rediss")
    server = f"{'rediss' if tls else 'redis'}://{login}{'@' if login else ''}sentinel/{database or 0}"
    server += f"?{urlencode(query)}" if query else ""
    return Address(sentinels, master, server, tls, {name: value for name, value in own.items() if value})


def broker_options(url: str) -> dict[str, Any]:
    """What FastStream's ``RedisSentinelBroker`` needs to know."""
    address = parse(url)
    return {
        "url": address.server_url,
        "sentinels": address.sentinels,
        "sentinel_master_name": address.master,
        "sentinel_kwargs": _of_sentinels(address, AsyncRetry(NoBackoff(), 0)),
        "connection_class": _AsyncTls if address.tls else _Async,
    }


def client(url: str, **options: Any) -> Redis:
    """A client without asyncio, for any address that redis-py, this module or ``cluster`` knows."""
    if cluster.is_cluster(url):
        node = cluster.parse(url)
        kind = cluster.blocking_connection_class(node)
        return Redis.from_pool(ConnectionPool(connection_class=kind, **node.options, **options))
    if not is_sentinel(url):
        return Redis.from_url(url, **options)
    address = parse(url)
    manager = Sentinel(list(address.sentinels), sentinel_kwargs=_of_sentinels(address, Retry(NoBackoff(), 0)))
    connections = _Tls if address.tls else _Plain
    leading: Redis = manager.master_for(address.master, connection_class=connections, **_of_server(address), **options)
    return leading


@asynccontextmanager
async def async_client(url: str, **options: Any) -> AsyncIterator[AsyncRedis]:
    """A client for asyncio, for any address that redis-py, this module or ``cluster`` knows."""
    async with _direct(url, options) if not is_sentinel(url) else _leading(url, options) as found:
        try:
            yield found
        finally:
            await forget(found)


def _direct(url: str, options: dict[str, Any]) -> AsyncRedis:
    if cluster.is_cluster(url):
        node = cluster.parse(url)
        found: dict[str, Any] = {**node.options, "connection_class": cluster.connection_class(node)}
    else:
        found = {**parse_async_url(url), "connection_class": connection_class(url)}
    return AsyncRedis.from_pool(AsyncConnectionPool(**found, **options))


def _leading(url: str, options: dict[str, Any]) -> AsyncRedis:
    address = parse(url)
    manager = AsyncSentinel(list(address.sentinels), sentinel_kwargs=_of_sentinels(address, AsyncRetry(NoBackoff(), 0)))
    kind = _AsyncTls if address.tls else _Async
    leading: AsyncRedis = manager.master_for(address.master, connection_class=kind, **_of_server(address), **options)
    return leading


async def forget(client: AsyncRedis) -> None:
    """Close the connections to the Sentinels, which closing a client leaves open."""
    manager = getattr(client.connection_pool, "sentinel_manager", None)
    if manager is not None:
        await manager.aclose()


async def is_deposed(pool: Any) -> bool:
    """Whether the Sentinels name another server than the one that the connections of this pool were made to."""
    leader = pool.master_address
    return bool(await pool.get_master_address() != leader)


class _Async(Heedful, AsyncConnection):
    """A server that no longer leads is away, like one that is gone: ask the Sentinels anew."""

    async def connect(self) -> None:
        try:
            await super().connect()  # type: ignore[no-untyped-call]
        except AsyncMasterNotFoundError:
            asked = self.connection_pool.sentinel_manager.sentinels
            answers = await asyncio.gather(*(one.ping() for one in asked), return_exceptions=True)
            raise _nobody_leads(self.connection_pool, answers) from None

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)
        except ResponseError as error:
            if not str(error).startswith(_LEADS_NO_MORE):
                raise
            await self.disconnect()
            raise RedisConnectionError(str(error)) from None


class _AsyncTls(_Async, AsyncTlsConnection):
    pass


class _Plain(SentinelManagedConnection):
    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[no-untyped-call]
        except MasterNotFoundError:
            asked = self.connection_pool.sentinel_manager.sentinels
            raise _nobody_leads(self.connection_pool, [_answer(one) for one in asked]) from None


class _Tls(_Plain, SentinelManagedSSLConnection):
    pass


def _answer(sentinel: Redis) -> object:
    """What a Sentinel answers to a ping, which may be an error."""
    try:
        return sentinel.ping()
    except (RedisError, OSError) as error:
        return error


def _nobody_leads(pool: Any, answers: Sequence[object]) -> RedisConnectionError:
    """Why, by what each Sentinel ``answers`` now: redis-py's own error is a page of its objects as text."""
    asked = [client.get_connection_kwargs() for client in pool.sentinel_manager.sentinels]
    where = ", ".join(f"{one['host']}:{one['port']}" for one in asked)
    if any(isinstance(answer, AuthenticationError) for answer in answers):
        return AuthenticationError(f"the Sentinels at {where} want another password (sentinel_password)")
    if all(isinstance(answer, BaseException) for answer in answers):
        doubt = ", or their certificates are not trusted (redis_ca)" if "ssl_cert_reqs" in asked[0] else ""
        return RedisConnectionError(f"none of the Sentinels at {where} answers{doubt}")
    return RedisConnectionError(f"the Sentinels at {where} know of no server that leads {pool.service_name!r}")


def _of_server(address: Address) -> dict[str, Any]:
    options: dict[str, Any] = dict(parse_url(address.server_url))
    return {name: value for name, value in options.items() if name not in ("host", "port", "connection_class")} | (
        {"ssl": True} if address.tls else {}
    )


def _of_sentinels(address: Address, retry: Any) -> dict[str, Any]:
    """TLS as with the servers, but a login of their own, little patience, and no second try: the next one is asked."""
    tls = {name: value for name, value in _of_server(address).items() if name.startswith("ssl")}
    return {**tls, **address.login, "socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S, "retry": retry}
