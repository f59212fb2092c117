"""Debian's Redis: one server, or three of which one leads, and three Sentinels that choose it."""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.cli.run.embedded_redis import end_with_parent
from tests.support.needs import missing
from tests.support.ports import free_port

PASSWORD = "servers-only"
SENTINEL_PASSWORD = "sentinels-only"
MASTER = "moodstream"
DOWN_AFTER_MS = 2_000
"""Longer than a lease is believed in (shared/bus/lease.py), so that no two processes hold one across a failover."""

SERVER = f"""
save ""
appendonly no
requirepass {PASSWORD}
masterauth {PASSWORD}
maxmemory-policy noeviction
repl-diskless-sync-delay 0
min-replicas-to-write 1
min-replicas-max-lag 10
"""
SENTINEL = f"""
requirepass {SENTINEL_PASSWORD}
sentinel monitor {MASTER} 127.0.0.1 {{master}} 2
sentinel auth-pass {MASTER} {PASSWORD}
sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}
sentinel failover-timeout {MASTER} 10000
sentinel parallel-syncs {MASTER} 1
"""


class Trio:
    """The servers by their ports. ``url`` is what a service is told.

    ``certificate`` is a PEM file of a key and a certificate that vouches for itself: then all speak TLS alone.
    """

    def __init__(self, folder: Path, certificate: Path | None = None) -> None:
        self._folder, self._certificate = folder, certificate
        *self.servers, first, second, third = (free_port() for _ in range(6))
        self.sentinels = [first, second, third]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        scheme = "rediss" if certificate else "redis"
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        self.url = f"{scheme}+sentinel://:{PASSWORD}@{hosts}/{MASTER}/0?sentinel_password={SENTINEL_PASSWORD}"

    def start(self) -> None:
        leader, *others = self.servers
        self.start_server(leader)
        for port in others:
            self.start_server(port, replica_of=leader)
        for port in self.sentinels:
            self._launch(port, SENTINEL.format(master=leader), "--sentinel")
        _until(self._agree, 30, "the Sentinels do not find each other")

    def start_server(self, port: int, replica_of: int | None = None) -> None:
        self._launch(port, SERVER + (f"replicaof 127.0.0.1 {replica_of}\n" if replica_of else ""))

    def _launch(self, port: int, configuration: str, *arguments: str) -> None:
        home = self._folder / str(port)
        home.mkdir(exist_ok=True)
        file = home / "redis.conf"
        listen = f"port {port}\n"
        if self._certificate:
            files = "".join(f"tls-{what} {self._certificate}\n" for what in ("cert-file", "key-file", "ca-cert-file"))
            listen = f"port 0\ntls-port {port}\ntls-replication yes\ntls-auth-clients no\n{files}"
        file.write_text(f"{listen}bind 127.0.0.1\ndir {home}\nlogfile {home / 'log'}\n{configuration}")
        self._processes[port] = subprocess.Popen(
            ["redis-server", str(file), *arguments], stdin=subprocess.DEVNULL, preexec_fn=end_with_parent
        )
        _until(lambda: self._client(port).ping(), 10, f"the server at {port} does not start")

    def _client(self, port: int) -> Any:
        password = SENTINEL_PASSWORD if port in self.sentinels else PASSWORD
        once = Retry(NoBackoff(), 0)
        options: dict[str, Any] = {
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
            "decode_responses": True,
            "retry": once,
        }
        if self._certificate:
            options |= {"ssl": True, "ssl_ca_certs": str(self._certificate)}
        return Redis(host="127.0.0.1", port=port, password=password, **options)

    def _agree(self) -> bool:
        def sees_all(port: int) -> bool:
            with self._client(port) as client:
                seen = client.sentinel_master(MASTER)
            return bool(seen["num-other-sentinels"] == 2 and seen["num-slaves"] == 2 and seen["flags"] == "master")

        return all(sees_all(port) for port in self.sentinels)

    def leader(self) -> int:
        """The port of the server that the Sentinels name."""
        for port in self.sentinels:
            with contextlib.suppress(RedisError), self._client(port) as client:
                return int(client.sentinel_get_master_addr_by_name(MASTER)[1])
        raise RuntimeError("no Sentinel answers")

    def server(self, port: int) -> Any:
        """A client of one server, bytes as text."""
        return self._client(port)

    def start_again(self, port: int) -> None:
        """A server that was killed comes back, empty, behind the one that leads now."""
        self.start_server(port, replica_of=self.leader())

    def kill(self, port: int) -> None:
        self._processes[port].kill()
        self._processes[port].wait()

    def hang(self, port: int) -> None:
        self._processes[port].send_signal(signal.SIGSTOP)

    def go_on(self, port: int) -> None:
        self._processes[port].send_signal(signal.SIGCONT)

    def shut_down(self, port: int) -> None:
        """A planned failover, as for an upgrade of the leader: it waits for its replicas before it ends."""
        with self._client(port) as client, contextlib.suppress(RedisError):  # it may answer later than a client waits
            client.shutdown(nosave=True)
        self._processes[port].wait()

    def wait_for_another(self, than: int, timeout_s: float = 60) -> int:
        """Once another server leads and takes writes, its port."""

        def leads() -> bool:
            with self._client(self.leader()) as client:
                return self.leader() != than and client.role()[0] == "master"

        _until(leads, timeout_s, "no other server leads")
        return self.leader()

    def wait_until_whole(self) -> None:
        """Until the leader has both replicas again."""

        def whole() -> bool:
            with self._client(self.leader()) as client:
                return int(client.info("replication")["connected_slaves"]) == 2

        _until(whole, 90, "the replicas do not come back")

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _until(holds: Any, timeout_s: float, fault: str) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(RedisError, OSError):
            if holds():
                return
        if time.monotonic() > deadline:
            raise AssertionError(fault)
        time.sleep(0.05)


@contextlib.contextmanager
def single(*options: str) -> Iterator[Any]:
    """A client of one server of Debian's Redis, text as bytes, with these options: ``"--maxmemory-policy", "..."``."""
    if shutil.which("redis-server") is None:
        missing("Debian's redis-server")
    with tempfile.TemporaryDirectory(prefix="moodstream-redis-") as folder:
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", *options]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent)
        try:
            with Redis(port=port) as client:
                _until(lambda: _listens(port), 10, "the server does not start")
                yield client
        finally:
            server.kill()
            server.wait()


@contextlib.contextmanager
def trio(certificate: Path | None = None) -> Iterator[Trio]:
    """Three servers and three Sentinels, agreed with each other; all gone afterwards."""
    if shutil.which("redis-server") is None:
        missing("Debian's redis-server")
    with tempfile.TemporaryDirectory(prefix="moodstream-trio-") as folder:
        one = Trio(Path(folder), certificate)
        try:
            one.start()
            yield one
        finally:
            one.stop()
