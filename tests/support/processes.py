"""Services as their own processes, each started anew when it ends, as a container engine does."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
AGAIN_S = 0.3


@dataclass(frozen=True)
class End:
    """How a process ended: its exit code, negative for a signal."""

    at_s: float
    code: int
    asked: bool
    """whether a test has ended it"""


class Part:
    """One service. Its log is a file in ``folder`` that goes on over restarts."""

    def __init__(
        self,
        name: str,
        module: str,
        folder: Path,
        redis_url: str,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        **more: str,
    ) -> None:
        """``more`` are settings, ``environment`` and ``arguments`` are for all else."""
        self.name, self.ends = name, list[End]()
        self._command = [sys.executable, "-m", module, *arguments]
        self.port = free_port()
        self.log = folder / f"{name}.log"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MOODSTREAM_")}
        own = {"redis_url": redis_url, "port": str(self.port), "log_level": "INFO", **more}
        self._environment = (
            clean | dict(environment or {}) | {f"MOODSTREAM_{key.upper()}": value for key, value in own.items()}
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = self._over = False
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._spawn()
        self._watcher.start()

    def send(self, number: signal.Signals) -> None:
        """A signal; what it ends is started anew."""
        with self._lock:
            self._asked |= number in (signal.SIGKILL, signal.SIGTERM)
            if self._process is not None and self._process.poll() is None:
                self._process.send_signal(number)

    def stop(self) -> None:
        """For good, in good order if it can."""
        with self._lock:
            self._over = True
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        self._watcher.join(12)
        self.send(signal.SIGKILL)
        self._watcher.join(5)

    def is_ready(self) -> bool:
        return self.health("ready") == 200

    def health(self, what: str) -> int | None:
        """Status code, None while nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/{what}", timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return None

    def wait_ready(self, within_s: float = 120) -> float:
        return waited(self.is_ready, within_s, f"{self.name} is not ready: {self.text()[-1_500:]}")

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _watch(self) -> None:
        while True:
            assert self._process is not None
            code = self._process.wait()
            with self._lock:
                self.ends.append(End(time.monotonic(), code, self._asked))
                self._asked = False
                if self._over:
                    return
            time.sleep(AGAIN_S)
            with self._lock:
                if self._over:
                    return
                self._spawn()


@contextlib.contextmanager
def running(*parts: Part) -> Iterator[None]:
    """All of them, ready; at the end all are gone."""
    try:
        for part in parts:
            part.start()
        for part in parts:
            part.wait_ready()
        yield
    finally:
        stoppers = [threading.Thread(target=part.stop) for part in parts if part._process is not None]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()


def waited(condition: object, within_s: float, otherwise: str = "waited in vain") -> float:
    """Seconds until ``condition`` held."""
    assert callable(condition)
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < within_s, otherwise
        time.sleep(0.05)
    return time.monotonic() - begun
