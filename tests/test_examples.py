"""The examples in docs/examples print the moods that are published, and the answers to what they ask."""

import asyncio
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, Queue
from typing import IO

import pytest

from moodstream.contracts.moods import Mood
from services.cli.redis_client import connected
from tests.client.answering import answering
from tests.support.gateways import Gateway
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.scenes import mood_changed, new_session

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
ASKING = sorted(file.name for file in EXAMPLES.glob("ask_*"))
LISTENING = sorted({file.name for file in EXAMPLES.iterdir() if file.suffix != ".json"} - set(ASKING))
EXPECTED = "update happy 0.75"
ANSWER = "calm Harbour Kite"

NODE_PACKAGES = Path("/usr/share/nodejs")
GO_PACKAGES = Path("/usr/share/gocode")
"""Where Debian puts its packages for other languages."""


@pytest.mark.parametrize("name", LISTENING)
def test_the_example_prints_moods(redis_url: str, tmp_path: Path, name: str) -> None:
    address = open_port(redis_url)
    with Gateway(redis_url).run() as gateway:
        process = subprocess.Popen(
            command(EXAMPLES / name, tmp_path),
            env=environment(address, gateway),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert first_line(redis_url, process.stdout) == EXPECTED
        finally:
            process.terminate()
            process.communicate(timeout=10)


@pytest.mark.parametrize("name", ASKING)
async def test_the_example_prints_what_is_answered(redis_url: str, tmp_path: Path, name: str) -> None:
    address = open_port(redis_url)
    with Gateway(redis_url).run() as gateway:
        async with answering(redis_url):
            process = await asyncio.create_subprocess_exec(
                *command(EXAMPLES / name, tmp_path), env=environment(address, gateway), stdout=subprocess.PIPE
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
        if 'from "redis"' in example.read_text():
            (folder / "node_modules").symlink_to(needed(NODE_PACKAGES / "redis").parent)
        (folder / example.name).write_text(example.read_text())  # Node looks for packages beside the file
        return [tool("node"), str(folder / example.name)]
    settings = {"GO111MODULE": "off", "GOPATH": str(needed(GO_PACKAGES)), "GOCACHE": str(folder / "cache")}
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
