"""Debian's Redis as a cluster: three nodes that lead and three that follow them."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError
from redis.retry import Retry

from services.cli.run.embedded_redis import end_with_parent
from tests.support.needs import missing
from tests.support.ports import free_port

PASSWORD = "nodes-only"
NODE_TIMEOUT_MS = 2_000
"""Longer than a lease is believed in (shared/bus/lease.py), so that no two processes hold one across a failover."""
LEADERS = 3

NODE = f"""
save ""
appendonly no
requirepass {PASSWORD}
masterauth {PASSWORD}
maxmemory-policy noeviction
repl-diskless-sync-delay 0
cluster-enabled yes
cluster-node-timeout {NODE_TIMEOUT_MS}
"""


class Cluster:
    """The nodes by their ports. ``url`` is what a service is told.

    It leads, where nothing else is said, who leads the slot of the site with this ``prefix``.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder, self.prefix = folder, prefix
        self.ports = [free_port() for _ in range(2 * LEADERS)]
        self._talk = {port: free_port() for port in self.ports}
        """the ports at which the nodes talk to each other"""
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports[:LEADERS])
        self.url = f"redis+cluster://:{PASSWORD}@{hosts}"

    def start(self) -> None:
        for port in self.ports:
            self.start_node(port)
        first, *others = self.ports
        for at in range(LEADERS):
            begin, end = (16384 * place // LEADERS for place in (at, at + 1))
            self.ask(self.ports[at], "CLUSTER", "ADDSLOTSRANGE", begin, end - 1)
        for port in others:
            self.ask(first, "CLUSTER", "MEET", "127.0.0.1", port, self._talk[port])
        _until(lambda: all(self._info(port)["cluster_known_nodes"] == "6" for port in self.ports), "they do not meet")
        for leader, follower in zip(self.ports[:LEADERS], self.ports[LEADERS:], strict=True):
            name = self.ask(leader, "CLUSTER", "MYID")
            _until(lambda to=follower, of=name: self.ask(to, "CLUSTER", "REPLICATE", of) == "OK", "nobody follows")
        _until(self._is_whole, "the cluster does not become whole")

    def start_node(self, port: int) -> None:
        home = self._folder / str(port)
        home.mkdir(exist_ok=True)
        file = home / "redis.conf"
        file.write_text(
            f"port {port}\ncluster-port {self._talk[port]}\nbind 127.0.0.1\ndir {home}\nlogfile {home / 'log'}\n{NODE}"
        )
        self._processes[port] = subprocess.Popen(
            ["redis-server", str(file)], stdin=subprocess.DEVNULL, preexec_fn=end_with_parent
        )
        _until(lambda: self.ask(port, "PING"), f"the node at {port} does not start")

    def node(self, port: int) -> Any:
        """A client of one node, bytes as text."""
        once = Retry(NoBackoff(), 0)
        limits: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": once}
        return Redis(host="127.0.0.1", port=port, password=PASSWORD, decode_responses=True, **limits)

    def ask(self, port: int, *command: object) -> Any:
        with self.node(port) as client:
            return client.execute_command(*command)

    def _info(self, port: int) -> dict[str, str]:
        with self.node(port) as client:
            return dict(client.execute_command("CLUSTER INFO"))

    def _is_whole(self) -> bool:
        def sees_all(port: int) -> bool:
            with self.node(port) as client:
                followed = [nodes for _, _, *nodes in client.execute_command("CLUSTER SLOTS") if len(nodes) > 1]
            return self._info(port)["cluster_state"] == "ok" and len(followed) == LEADERS

        return all(sees_all(port) for port in self.ports)

    def leader(self, without: int | None = None) -> int:
        """The port of the node that leads, as a node other than ``without`` says."""
        slot = key_slot(self.prefix.encode())
        for port in self.ports:
            if port == without:
                continue
            with contextlib.suppress(RedisError), self.node(port) as client:
                slots = client.execute_command("CLUSTER SLOTS")
                return int(next(leader[1] for low, high, leader, *_ in slots if low <= slot <= high))
        raise RuntimeError("no node answers")

    def kill(self, port: int) -> None:
        self._processes[port].kill()
        self._processes[port].wait()

    def hang(self, port: int) -> None:
        self._processes[port].send_signal(signal.SIGSTOP)

    def go_on(self, port: int) -> None:
        self._processes[port].send_signal(signal.SIGCONT)

    def shut_down(self, port: int) -> None:
        """As for an upgrade: one of those that follow takes over first."""
        name = self.ask(port, "CLUSTER", "MYID")
        [follower] = [one for one in self.ports if one != port and self._follows(one) == name]
        self.ask(follower, "CLUSTER", "FAILOVER")
        self.wait_for_another(port)
        with self.node(port) as client, contextlib.suppress(RedisError):  # it ends before it answers
            client.shutdown(nosave=True)
        self._processes[port].wait()

    def _follows(self, port: int) -> str | None:
        """The id of the node that this one follows."""
        lines = self.ask(port, "CLUSTER", "NODES")
        own = next(line for line in lines.splitlines() if "myself" in line) if isinstance(lines, str) else ""
        return own.split()[3] if own else None

    def followers(self) -> list[int]:
        """The ports of the nodes that lead no slot."""
        return [port for port in self.ports if self._follows(port) not in (None, "-")]

    def start_again(self, port: int) -> None:
        self.start_node(port)

    def wait_for_another(self, than: int) -> int:
        """Once another node leads, its port."""
        _until(lambda: self.leader(than) != than, "no other node leads")
        return self.leader(than)

    def wait_until_whole(self) -> None:
        _until(self._is_whole, "the cluster does not become whole again")

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()


def _until(holds: Any, fault: str, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(RedisError, OSError):
            if holds():
                return
        if time.monotonic() > deadline:
            raise AssertionError(fault)
        time.sleep(0.05)


@contextlib.contextmanager
def cluster(prefix: str) -> Iterator[Cluster]:
    """Six nodes, agreed with each other; all gone afterwards."""
    if shutil.which("redis-server") is None:
        missing("Debian's redis-server")
    with tempfile.TemporaryDirectory(prefix="moodstream-cluster-") as folder:
        one = Cluster(Path(folder), prefix)
        try:
            one.start()
            yield one
        finally:
            one.stop()
