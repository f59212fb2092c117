"""A real redis-server and the services as processes of their own, each as a user of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.needs import missing
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
START_S = 150.0
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}


class RedisServer:
    """Debian's server with nothing but these arguments, listening on this machine alone."""

    def __init__(self, folder: Path, *arguments: str, tls: bool = False) -> None:
        if not shutil.which("redis-server"):
            missing("redis-server")
        self.port = free_port()
        listens = ("--port", "0", "--tls-port", str(self.port)) if tls else ("--port", str(self.port))
        self._command = [
            "redis-server",
            *listens,
            "--save",
            "",
            "--dir",
            str(folder),
            "--bind",
            "127.0.0.1",
            *arguments,
        ]
        self._log = folder / f"redis-{self.port}.log"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert self._server.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()


@contextlib.contextmanager
def redis_server(folder: Path, *arguments: str, tls: bool = False) -> Iterator[RedisServer]:
    server = RedisServer(folder, *arguments, tls=tls)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Services:
    """Service processes, ended together; what they wrote lies in a file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}

    def start(self, name: str, **settings: str) -> None:
        self.ports.setdefault(name, free_port())
        environment = PLAIN | {f"MOODSTREAM_{key.upper()}": value for key, value in settings.items()}
        environment |= {"MOODSTREAM_PORT": str(self.ports[name])}
        environment |= dict.fromkeys(("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"), str(self._folder))
        with self._log(name).open("ab") as log:
            command = [sys.executable, "-m", f"services.{name}.main"]
            self._running[name] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        for name in self._running:
            while not self._is_ready(name):
                assert self._running[name].poll() is None, self.said(name)
                assert time.monotonic() < deadline, self.said(name)
                time.sleep(0.1)

    def _is_ready(self, name: str) -> bool:
        try:
            return b"true" in self.read(name, "/health/ready")
        except OSError:
            return False

    def read(self, name: str, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=5) as answer:
            return bytes(answer.read())

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def runs(self, name: str) -> bool:
        return self._running[name].poll() is None

    def said(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def stop(self, name: str) -> int:
        """Ends one in good order; its exit code."""
        process = self._running.pop(name)
        process.terminate()
        return process.wait(timeout=15)

    def send(self, name: str, number: signal.Signals) -> None:
        self._running[name].send_signal(number)

    def kill(self, name: str) -> None:
        """Ends one as a crash does."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def end(self) -> dict[str, int]:
        """Ends all in good order; their exit codes."""
        for process in self._running.values():
            process.terminate()
        codes = {}
        for name, process in self._running.items():
            try:
                codes[name] = process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        self._running.clear()
        return codes


@contextlib.contextmanager
def services(folder: Path) -> Iterator[Services]:
    running = Services(folder)
    try:
        yield running
    finally:
        running.end()


def eventually(look: Any, within_s: float = 30.0) -> Any:
    """The first result that is true; fails with the last one."""
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {seen}"
        time.sleep(0.1)
    return seen
