"""Installed alone, the client needs nothing of the server: it is run where all of that cannot be imported."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from tests.client.answering import answering
from tests.support.gateways import Gateway
from tests.support.scenes import mood_changed, new_session

ROOT = Path(__file__).parents[2]
SERVER = (
    *("services", "shared", "training", "tests"),
    *("faststream", "uvicorn", "starlette", "fastapi", "prometheus_client", "pydantic_settings"),
)

PROGRAM = """
import sys, threading

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is not installed here")

BLOCKED = set(sys.argv[3].split(","))
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import moodstream, moodstream.client, moodstream.contracts.requests
assert moodstream.__file__.startswith(sys.argv[1]), moodstream.__file__
assert moodstream.client.Client is moodstream.Client
try:
    with moodstream.BlockingClient(sys.argv[2]) as client:
        print("offer", client.offer("calm").songs[0].title, flush=True)
        for mood in client.moods(moods=["happy"]):
            print("mood", mood.mood, flush=True)
            break
except moodstream.MoodstreamError as error:
    print("error", error)
assert not BLOCKED & {name.partition(".")[0] for name in sys.modules}
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url).run() as running:
        yield running


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheel brings of the package, and nothing beside it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "moodstream", folder / "moodstream", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


async def run(bus: Any, installed: Path, url: str, *blocked: str) -> list[str]:
    """The lines of the program, while moods are published."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", PROGRAM, str(installed), url, ",".join(blocked)),
        stdout=subprocess.PIPE,
        cwd=installed,
    )
    done = asyncio.create_task(process.communicate())
    async with asyncio.timeout(60):
        while not done.done():
            for mood in (Mood.SAD, Mood.HAPPY):
                await bus.publish(mood_changed(mood, new_session()))
            await asyncio.sleep(0.1)
    assert process.returncode == 0
    return (await done)[0].decode().splitlines()


@pytest.mark.parametrize("wire", ["page", "redis"])
async def test_it_asks_and_listens_where_no_server_is_installed(gateway: Gateway, installed: Path, wire: str) -> None:
    url = gateway.url if wire == "page" else gateway.redis_url
    async with answering(gateway.redis_url) as (bus, _):
        assert await run(bus, installed, url, *SERVER) == ["offer Harbour Kite", "mood happy"]


async def test_without_the_extra_it_speaks_to_redis_and_says_what_http_needs(gateway: Gateway, installed: Path) -> None:
    httpx = ("httpx", "httpcore", "anyio")
    async with answering(gateway.redis_url) as (bus, _):
        lines = await run(bus, installed, gateway.redis_url, *SERVER, *httpx)
        assert lines == ["offer Harbour Kite", "mood happy"]
        lines = await run(bus, installed, gateway.url, *SERVER, *httpx)
        assert lines == ['error over HTTP the client needs httpx: pip install "moodstream-client[http]"']


def test_its_types_are_there_for_others() -> None:
    assert (ROOT / "moodstream" / "py.typed").is_file()


def test_contracts_alone_are_as_light_as_they_say() -> None:
    """A program that only wants the models imports the whole client, but no server."""
    code = "import json, sys, moodstream.contracts.requests; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded & {*SERVER, "httpx"} == set()
