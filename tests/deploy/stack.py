"""The compose file, started with a real engine under a name of its own."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.conftest import missing

ROOT = Path(__file__).parents[2]
PROJECT = "moodstream-test"

T = TypeVar("T")


def compose_command() -> list[str]:
    """Compose 1.29 or 2, whichever is here; without one, or without an engine, the test is skipped and CI fails."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        missing("a Docker engine")
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        missing("docker-compose")
    return ["docker", "compose"]


class Stack:
    """The containers of one compose project; ``settings`` is an empty file, so that a person's .env is left out."""

    def __init__(self, settings: Path, **environment: str) -> None:
        self._compose = [*compose_command(), "--env-file", str(settings), "--project-name", PROJECT]
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("MOODSTREAM_")}
        self._environment |= environment

    def compose(self, *arguments: str, **environment: str) -> str:
        """Run a compose command to its end; what it printed. ``environment`` is set for this and later commands."""
        self._environment |= environment
        command = [*self._compose, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """What the engine knows of the running containers of a service, or of all."""
        labels = [f"com.docker.compose.project={PROJECT}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        ids = docker("ps", "--quiet", *(f"--filter=label={label}" for label in labels)).split()
        known: list[dict[str, Any]] = json.loads(docker("inspect", *ids)) if ids else []
        return known

    def health(self) -> list[str]:
        return [one["State"]["Health"]["Status"] for one in self.containers()]

    def redis(self, *arguments: str) -> str:
        return self.compose("exec", "-T", "redis", "redis-cli", *arguments)

    def events(self, stream: str, after: str = "") -> list[dict[str, Any]]:
        """Events of a stream, oldest first; ``after`` is an entry id."""
        lines = self.redis("XRANGE", f"mood:{stream}", f"({after}" if after else "-", "+").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def last_entry(self, stream: str) -> str:
        return self.redis("XREVRANGE", f"mood:{stream}", "+", "-", "COUNT", "1").splitlines()[0]


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def eventually(look: Callable[[], T], within_s: float, every_s: float = 0.5) -> T:
    """The first result that is true; fails with the last one."""
    deadline = time.monotonic() + within_s
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(every_s)
    assert seen, f"not within {within_s:.0f} s: {seen}"
    return seen
