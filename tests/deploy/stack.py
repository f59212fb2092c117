"""The compose file, started with a real engine under a name of its own."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support.needs import missing

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
        self._environment |= {"MOODSTREAM_IMAGES": PROJECT, **environment}
        self._password = ""

    def compose(self, *arguments: str, **environment: str) -> str:
        """Run a compose command to its end; what it printed. ``environment`` is set for this and later commands."""
        self._environment |= environment
        command = [*self._compose, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def forget(self, names: Iterable[str]) -> None:
        """Settings of earlier commands that later ones are not given."""
        for name in names:
            self._environment.pop(name, None)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """What the engine knows of the running containers of a service, or of all."""
        labels = [f"com.docker.compose.project={PROJECT}"]
        labels += [f"com.docker.compose.service={service}"] if service else []
        ids = docker("ps", "--quiet", *(f"--filter=label={label}" for label in labels)).split()
        known: list[dict[str, Any]] = json.loads(docker("inspect", *ids)) if ids else []
        return known

    def health(self) -> dict[str, str]:
        """By container, of those that run."""
        return {one["Name"]: one["State"]["Health"]["Status"] for one in self.containers()}

    def file(self, service: str, path: str) -> str:
        [container] = self.containers(service)
        return docker("exec", container["Id"], "cat", path)

    def redis(self, service: str = "redis") -> "Redis":
        """As the one who may do everything. The engine's own machine reaches the address that the container has now."""
        self._password = self._password or self.file(service, "/run/secrets/admin")
        [container] = self.containers(service)
        [network] = container["NetworkSettings"]["Networks"].values()
        return Redis(
            network["IPAddress"],
            username="admin",
            password=self._password,
            socket_timeout=3,
            decode_responses=True,
        )

    def events(self, stream: str, after: str = "") -> list[dict[str, Any]]:
        """Events of a stream, oldest first; ``after`` is an entry id. None of them while Redis is away."""
        try:
            with self.redis() as redis:
                entries = redis.xrange(f"mood:{stream}", f"({after}" if after else "-", "+")
        except (RedisConnectionError, ValueError):
            return []
        return [json.loads(fields["__data__"]) for _, fields in entries]

    def last_entry(self, stream: str) -> str:
        with self.redis() as redis:
            [(entry, _)] = redis.xrevrange(f"mood:{stream}", count=1)
        return str(entry)

    def ready(self, service: str) -> bool:
        """Asked within each of its containers."""
        ask = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"
        containers = [one["Id"] for one in self.containers(service)]
        asked = [["docker", "exec", one, "python", "-c", ask] for one in containers]
        return bool(asked) and not any(subprocess.run(one, capture_output=True).returncode for one in asked)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def local_image(name: str, folder: Path, *programs: str, more: str = "") -> str:
    """An image of programs of this machine and their libraries, for those that come from a registry elsewhere.

    ``more`` are lines of its Dockerfile.
    """
    files: set[str] = set()
    for program in programs:
        path = shutil.which(program) or missing(program)
        listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        found = [Path(word) for word in listed.split() if word.startswith("/")]
        # a library may be wanted by another of its names than the one that is shown
        files |= {path, *(str(alias) for one in found for alias in one.parent.glob(f"{one.name}*"))}
    subprocess.run(
        ["tar", "--create", "--dereference", "--file", str(folder / "files.tar"), *files], check=True, cwd="/"
    )
    base = os.environ.get("PYTHON_IMAGE", "python:3.11-slim-bookworm")
    (folder / "Dockerfile").write_text(f"FROM {base}\nADD files.tar /\n{more}\n")
    docker("build", "--quiet", "--tag", f"{PROJECT}/{name}", str(folder))
    return f"{PROJECT}/{name}"


def eventually(look: Callable[[], T], within_s: float, every_s: float = 0.5) -> T:
    """The first result that is true; fails with the last one."""
    deadline = time.monotonic() + within_s
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(every_s)
    assert seen, f"not within {within_s:.0f} s: {seen}"
    return seen
