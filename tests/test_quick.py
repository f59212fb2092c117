"""`make quick` finds its tests by what they use, and refuses what they may not start."""

import asyncio
import functools
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from services.cli.run.embedded_redis import embedded_redis
from tests import quick
from tests.support.gateways import Gateway
from tests.support.ports import free_port

ROOT = Path(__file__).parents[1]


def starts_a_program() -> None:
    subprocess.run(["true"], check=True)


def calls_a_helper() -> None:
    starts_a_program()


async def listens() -> None:
    await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)


def has_it_in_a_comprehension() -> list[Any]:
    return [socket.create_connection(("127.0.0.1", port)) for port in (1, 2)]


def imports_it_inside() -> None:
    from urllib.request import urlopen

    urlopen("http://127.0.0.1:9/")


class Part:
    @functools.cached_property
    def process(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(["true"])


class Derived(Part):
    """What it starts is in its base."""


def makes_an_object() -> None:
    Derived()


def takes_a_server() -> None:
    with embedded_redis():
        pass


def takes_a_gateway() -> None:
    Gateway("redis://127.0.0.1:1")


WAYS = {"program": starts_a_program}


def looks_it_up() -> None:
    WAYS["program"]()


@functools.lru_cache
def takes_a_port() -> int:
    return free_port()


@pytest.mark.parametrize(
    "function",
    [
        starts_a_program,
        calls_a_helper,
        listens,
        has_it_in_a_comprehension,
        imports_it_inside,
        makes_an_object,
        takes_a_server,
        takes_a_gateway,
        looks_it_up,
        takes_a_port.__wrapped__,
    ],
)
def test_what_starts_something_is_not_quick(function: Any) -> None:
    assert quick.starts_with(function)


def counts() -> int:
    return sum(range(3))


def knows_an_error_of_redis() -> None:
    raise RedisError


def asks_for_its_name() -> str:
    return socket.gethostname()


@pytest.mark.parametrize("function", [counts, knows_an_error_of_redis, asks_for_its_name])
def test_what_starts_nothing_is_quick(function: Any) -> None:
    assert quick.starts_with(function) is None


@pytest.mark.parametrize(
    "attempt",
    [
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.socket().bind(('127.0.0.1', 0))",
    ],
)
def test_a_quick_test_that_starts_something_is_stopped(attempt: str) -> None:
    refused = (
        "from tests import quick\n"
        "quick.forbid_starting()\n"
        "with quick.refusing('test_one'):\n"
        f"    try:\n        {attempt}\n"
        "    except Exception:\n        print('swallowed')\n"
    )
    done = subprocess.run([sys.executable, "-c", refused], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "NotQuick: test_one was found quick, but causes" in done.stderr


def test_every_test_is_found_where_nothing_is_installed_for_training() -> None:
    """As in a contributor's first clone: `make setup-train` is for those who train."""
    without = (
        "import sys\nfor name in ('keras', 'tensorflow', 'jax', 'tf2onnx', 'implicit'): sys.modules[name] = None\n"
    )
    collect = "import pytest; sys.exit(pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider', 'tests']))"
    elsewhere = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    done = subprocess.run(
        [sys.executable, "-c", without + collect], cwd=ROOT, env=elsewhere, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:]
