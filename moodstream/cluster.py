"""A Redis or Valkey Cluster: one site is one slot, and the clients follow whichever node leads that slot.

    redis+cluster://user:password@host1:6379,host2:6379,host3

Every key of a site begins with its prefix. Where that holds a hash tag, as in ``{north}:``, all of them lie in one
slot, so on one node at a time: scripts, transactions, reads of several streams and WAIT work as on a single server.
``rediss+cluster://`` speaks TLS, with the parameters that redis-py knows for it (``ssl_ca_certs=...``). The address
that clients get names the prefix, too (``with_prefix``), since it says which node to ask.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio.connection import Connection as AsyncConnection
from redis.asyncio.connection import SSLConnection as AsyncTlsConnection
from redis.connection import Connection, SSLConnection, parse_url
from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from moodstream.cancellation import Heedful
from moodstream.errors import MoodstreamError
from moodstream.host_names import host_and_port

SCHEMES = ("redis+cluster", "rediss+cluster")
PORT = 6379
PATIENCE_S = 1.0
"""A node that does not answer within this is passed over for the next; all of them know the same."""

_LEADS_NO_MORE = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "UNBLOCKED", "NOREPLICAS")
"""What a node says that does not lead the slot, or may not write now. ASK and TRYAGAIN: the slot is on its way."""

Node = tuple[str, int]


class NoCluster(MoodstreamError):
    """The address names a server that is in no cluster."""


@dataclass(frozen=True)
class Address:
    """An address, taken apart."""

    nodes: tuple[Node, ...]
    slot: int
    options: Mapping[str, Any]
    """of a connection: user, password, parameters of TLS"""
    tls: bool


def is_cluster(url: str) -> bool:
    return url.partition("://")[0] in SCHEMES


def with_prefix(url: str, prefix: str) -> str:
    """The address of the site with this prefix. Raises MoodstreamError for a prefix without a hash tag."""
    if not is_cluster(url):
        return url
    if not re.search(r"\{[^}]+\}", prefix):
        raise MoodstreamError(
            f"MOODSTREAM_PREFIX={prefix}: on a cluster it needs a hash tag, as in "
            f"{{{prefix.strip(':{}') or 'site'}}}: with the braces, so that a site is one slot"
        )
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"prefix": prefix}
    return urlunsplit(parts._replace(query=urlencode(query)))


def parse(url: str) -> Address:
    """Take an address apart. Raises MoodstreamError, without its password, when it cannot be right."""
    try:
        parts = urlsplit(url)
        login, _, hosts = parts.netloc.rpartition("@")
        if parts.path.strip("/") not in ("", "0"):
            raise ValueError("a cluster has database 0 alone")
        nodes = tuple(host_and_port(host, PORT) for host in hosts.split(","))
        query = dict(parse_qsl(parts.query))
        prefix = query.pop("prefix", "")
        tls = parts.scheme.startswith("rediss")
        whole = f"{'rediss' if tls else 'redis'}://{login}{'@' if login else ''}node/0?{urlencode(query)}"
        options = {name: value for name, value in parse_url(whole).items() if name not in _NOT_OF_A_CONNECTION}
    except ValueError as error:
        raise MoodstreamError(
            f"an address of a cluster reads redis+cluster://USER:PASSWORD@HOST1:6379,HOST2:6379: {error}"
        ) from None
    return Address(nodes, key_slot(prefix.encode()), options, tls)


_NOT_OF_A_CONNECTION = ("host", "port", "connection_class", "db")


class Leader:
    """Which node leads the slot of a site, as the nodes last said it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._others: tuple[Node, ...] = ()
        """nodes that the address does not name"""
        self.node: Node | None = None
        """None where it has to be asked"""
        self.last: Node | None = None
        """who led when that was last asked"""

    async def find(self) -> Node:
        """Ask the nodes one after the other. Raises RedisConnectionError where none answers, or NoCluster."""
        faults = []
        for node in self._asked():
            connection = (AsyncTlsConnection if self._address.tls else AsyncConnection)(**self._options(node))
            try:
                await connection.connect()
                await connection.send_command("HELLO")
                _refuse_alone(await connection.read_response(), node)
                await connection.send_command("CLUSTER", "SLOTS")
                return self._note(await connection.read_response(), node)
            except (RedisError, OSError) as error:
                faults.append(_fault(node, error))
            finally:
                await connection.disconnect(nowait=True)
        raise RedisConnectionError(f"no node of the cluster tells who leads: {'; '.join(faults)}")

    def find_blocking(self) -> Node:
        """The same without asyncio."""
        faults = []
        for node in self._asked():
            connection = (SSLConnection if self._address.tls else Connection)(**self._options(node))
            try:
                connection.connect()
                connection.send_command("HELLO")
                _refuse_alone(connection.read_response(), node)
                connection.send_command("CLUSTER", "SLOTS")
                return self._note(connection.read_response(), node)
            except (RedisError, OSError) as error:
                faults.append(_fault(node, error))
            finally:
                connection.disconnect()
        raise RedisConnectionError(f"no node of the cluster tells who leads: {'; '.join(faults)}")

    def _asked(self) -> list[Node]:
        """Those that the address names first, in any order, so that not all clients ask the same one."""
        named = list(self._address.nodes)
        random.shuffle(named)
        return [*named, *(node for node in self._others if node not in named)]

    def _options(self, node: Node) -> dict[str, Any]:
        limits = {"socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S}
        return {**self._address.options, **limits, "host": node[0], "port": node[1]}

    def _note(self, slots: Sequence[Any], asked: Node) -> Node:
        """From the answer to CLUSTER SLOTS. Raises RedisConnectionError where nobody leads the slot."""
        nodes = {(start, end): [_node(one, asked) for one in nodes] for start, end, *nodes in slots}
        self._others = tuple(dict.fromkeys(node for one in nodes.values() for node in one))
        for (start, end), (leader, *_) in nodes.items():
            if start <= self._address.slot <= end:
                self.node = self.last = leader
                return leader
        raise RedisConnectionError(f"nobody leads slot {self._address.slot}")


def _node(told: Sequence[Any], asked: Node) -> Node:
    """A node that does not know its own address is the one that was asked."""
    host = told[0].decode() if isinstance(told[0], bytes) else told[0]
    return host or asked[0], int(told[1])


def _refuse_alone(greeting: Any, node: Node) -> None:
    """Every server says what it is in its greeting. Raises NoCluster."""
    if b"cluster" not in (greeting.values() if isinstance(greeting, dict) else greeting):
        raise NoCluster(f"{node[0]}:{node[1]} is in no cluster; its address begins with redis://")


def _fault(node: Node, error: Exception) -> str:
    return f"{node[0]}:{node[1]}: {' '.join(str(error).split())}"


class _Following:
    """Stands before a connection class of redis-py: connects to whoever leads, and leaves who does not."""

    leader: Leader

    async def _connect(self) -> None:
        # the name of an inner method of redis-py, since it is called again for each try
        self.host, self.port = self.leader.node or await self.leader.find()
        try:
            await super()._connect()  # type: ignore[misc]
        except BaseException:
            self.leader.node = None
            raise

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)  # type: ignore[misc]
        except (RedisConnectionError, RedisTimeoutError):
            self.leader.node = None  # it may hang, and take connections all the same
            raise
        except RedisError as error:
            if not _has_left(error):
                raise
            self.leader.node = None
            await self.disconnect()  # type: ignore[attr-defined]
            raise RedisConnectionError(f"another node leads: {error}") from None


class _FollowingBlocking:
    """The same without asyncio."""

    leader: Leader

    def _connect(self) -> Any:
        self.host, self.port = self.leader.node or self.leader.find_blocking()
        try:
            return super()._connect()  # type: ignore[misc]
        except BaseException:
            self.leader.node = None
            raise

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().read_response(*arguments, **options)  # type: ignore[misc]
        except (RedisConnectionError, RedisTimeoutError):
            self.leader.node = None
            raise
        except RedisError as error:
            if not _has_left(error):
                raise
            self.leader.node = None
            self.disconnect()  # type: ignore[attr-defined]
            raise RedisConnectionError(f"another node leads: {error}") from None


def _has_left(error: RedisError) -> bool:
    """redis-py cuts the code from the text of errors for which it has a class of their own."""
    code = str(getattr(error, "status_code", None) or "")
    return code.startswith(_LEADS_NO_MORE) or str(error).startswith(_LEADS_NO_MORE)


def connection_class(address: Address) -> type[Any]:
    """For asyncio; all connections of the class share what they know of the leader."""
    kind = AsyncTlsConnection if address.tls else AsyncConnection
    return type("ClusterConnection", (_Following, Heedful, kind), {"leader": Leader(address)})


def blocking_connection_class(address: Address) -> type[Any]:
    kind = SSLConnection if address.tls else Connection
    return type("ClusterConnection", (_FollowingBlocking, kind), {"leader": Leader(address)})


async def is_deposed(pool: Any) -> bool:
    """Whether another node leads than when this was last asked."""
    leader: Leader = pool.connection_class.leader
    before = leader.last
    return await leader.find() != before
