"""The examples in docs/examples print the moods that are published, and the answers to what they ask."""

import asyncio
import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import IO

import pytest

from moodstream.contracts.moods import Mood
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import embedded_redis
from tests.client.answering import answering
from tests.support.bridges import broker
from tests.support.gateways import Gateway
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.scenes import mood_changed, new_session
from tests.support.secured_services import services

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
ASKING = sorted(file.name for file in EXAMPLES.glob("ask_*"))
BRIDGED = sorted(file.name for wire in ("mqtt", "webhook", "osc") for file in EXAMPLES.glob(f"*{wire}*"))
LISTENING = sorted({file.name for file in EXAMPLES.iterdir() if file.suffix != ".json"} - {*ASKING, *BRIDGED})
EXPECTED = "update happy 0.75"
SECRET = "whsec_" + base64.b64encode(b"examples" * 4).decode()
ANSWER = "calm Harbour Kite"

NODE_PACKAGES = Path("/usr/share/nodejs")
GO_PACKAGES = Path("/usr/share/gocode")
"""Where Debian puts its packages for other languages."""


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, dict[str, str]]]:
    """The private address of Redis, and the environment of the examples; one site for all, which listen and ask."""
    with embedded_redis() as url, Gateway(url).run() as gateway:
        yield url, environment(open_port(url), gateway)


@pytest.mark.parametrize("name", LISTENING)
def test_the_example_prints_moods(site: tuple[str, dict[str, str]], tmp_path: Path, name: str) -> None:
    url, told = site
    assert printed_first(name, url, told, tmp_path) == EXPECTED


def printed_first(name: str, url: str, told: dict[str, str], folder: Path) -> str:
    """What an example prints first while moods are published."""
    process = subprocess.Popen(command(EXAMPLES / name, folder), env=told, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        return first_line(url, process.stdout)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def bridged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of Redis, and what the examples are told, beside a bridge that speaks to all of them."""
    folder = tmp_path_factory.mktemp("bridged")
    hooks, osc = free_port(), free_port()
    receivers = f'[[webhook]]\nname = "one"\nurl = "http://127.0.0.1:{hooks}/"\nsecrets = ["{SECRET}"]\n'
    (folder / "webhooks.toml").write_text(f'{receivers}private = true\nevents = ["MoodChanged"]\n')
    with embedded_redis() as url, broker(folder) as mosquitto, services(folder) as running:
        outputs = {"mqtt_url": mosquitto.url, "osc_to": f"127.0.0.1:{osc}", "webhooks": str(folder / "webhooks.toml")}
        running.start("bridge", redis_url=url, **outputs)
        running.wait_until_ready()
        yield url, {"MOODSTREAM_MQTT_URL": mosquitto.url, "SECRET": SECRET, "hooks": str(hooks), "osc": str(osc)}


@pytest.mark.parametrize("name", BRIDGED)
def test_the_example_prints_moods_that_the_bridge_sends(
    bridged: tuple[str, dict[str, str]], tmp_path: Path, name: str
) -> None:
    url, told = bridged
    port = {"PORT": told["osc" if "osc" in name else "hooks"], "NODE_PATH": str(NODE_PACKAGES)}
    environment = {**os.environ, **told, **port}
    assert printed_first(name, url, environment, tmp_path) == ("happy" if "osc" in name else EXPECTED)


@pytest.mark.parametrize("language", [".py", ".mjs", ".go"])
def test_each_wire_and_asking_has_an_example_in_each_language(language: str) -> None:
    names = {file.stem for file in EXAMPLES.iterdir() if file.suffix == language}
    wires = {"redis", "group", "sse", "websocket", "mqtt", "webhook"}
    assert {"osc", *(f"moods_{wire}" for wire in wires)} <= names
    assert names & {"ask_redis", "ask_http"}


@pytest.mark.parametrize("name", ASKING)
async def test_the_example_prints_what_is_answered(site: tuple[str, dict[str, str]], tmp_path: Path, name: str) -> None:
    url, told = site
    async with answering(url):
        process = await asyncio.create_subprocess_exec(
            *command(EXAMPLES / name, tmp_path), env=told, stdout=subprocess.PIPE
        )
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
    assert process.returncode == 0
    assert next(line for line in output.decode().splitlines() if "INFO" not in line) == ANSWER


async def test_what_the_docs_type_at_redis_cli_is_answered(redis_url: str) -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    ask, look = (shlex.split(line)[1:] for line in text.splitlines() if line.startswith("redis-cli "))
    async with answering(redis_url) as (bus, _):
        await bus.redis.execute_command(*ask)
        async with asyncio.timeout(5):
            while not (entries := await bus.redis.execute_command(*look)):
                await asyncio.sleep(0.02)
    reply = json.loads(entries[0][1][b"__data__"])
    assert (reply["request_id"], reply["error"], reply["result"]["mood"]) == ("asked-1", None, "calm")


def open_port(redis_url: str) -> str:
    """Clients of other languages do not know the address of a private socket."""
    with connected(redis_url) as client:
        client.config_set("port", port := free_port())
    return f"redis://127.0.0.1:{port}"


def environment(address: str, gateway: Gateway) -> dict[str, str]:
    given = {"MOODSTREAM_REDIS_URL": address, "MOODSTREAM_PAGE": gateway.url}
    return {**os.environ, **given, "PYTHONPATH": str(ROOT), "NODE_PATH": str(NODE_PACKAGES)}


def command(example: Path, folder: Path) -> list[str]:
    """How an example is run, with the libraries of Debian where it needs some."""
    if example.suffix == ".py":
        return [sys.executable, str(example)]
    if example.suffix == ".mjs":
        if found := re.search(r'from "(redis|ws|mqtt)"', example.read_text()):
            (folder / "node_modules").symlink_to(needed(NODE_PACKAGES / found[1]).parent)
        (folder / example.name).write_text(example.read_text())  # Node looks for packages beside the file
        return [tool("node"), str(folder / example.name)]
    settings = {"GO111MODULE": "off", "GOPATH": str(needed(GO_PACKAGES)), "GOCACHE": str(folder.parent / "go-cache")}
    program = folder / "example"
    subprocess.run(
        [tool("go"), "build", "-o", str(program), str(example)], env=os.environ | settings, check=True, timeout=120
    )
    return [str(program)]


def tool(name: str) -> str:
    return shutil.which(name) or missing(name)


def needed(folder: Path) -> Path:
    return folder if folder.exists() else missing(str(folder))


def first_line(redis_url: str, output: IO[str]) -> str:
    """What the example says while moods are published."""
    lines: Queue[str] = Queue()

    def read() -> None:
        for line in output:
            if "INFO" not in line:  # FastStream logs to standard output
                lines.put(line)
                return

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + 20
    with connected(redis_url) as client:
        while time.monotonic() < deadline:
            mood = mood_changed(Mood.HAPPY, new_session(), confidence=0.75)
            client.xadd("mood:moods", {"__data__": mood.model_dump_json()})
            try:
                return lines.get(timeout=0.1).strip()
            except Empty:
                continue
    raise AssertionError("the example printed nothing")


def test_every_example_is_named_in_the_docs() -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    assert {file.name for file in EXAMPLES.iterdir() if f"examples/{file.name}" not in text} == set()
