"""The flow of docs/examples: as Node-RED imports it, and, by `make node-red-try`, run by Node-RED itself."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from moodstream.contracts.moods import MOODS
from services.cli.redis_client import connected
from tests.client.answering import answering
from tests.support.gateways import Gateway
from tests.support.needs import missing
from tests.support.ports import free_port
from tests.support.scenes import mood_changed, new_session

FLOW = Path(__file__).parents[1] / "docs" / "examples" / "node_red.json"
OF_NODE_RED = {"tab", "websocket-client", "websocket in", "function", "debug", "http request"}
"""Types of its core that the flow uses: they need no package from elsewhere."""
PROGRAM = "MOODSTREAM_NODE_RED"
"""Environment variable that names Node-RED's red.js."""
SETTINGS = """module.exports = {{
    uiPort: {port}, uiHost: "127.0.0.1", flowFile: "flow.json", credentialSecret: false,
    telemetry: {{enabled: false}}, logging: {{console: {{level: "info"}}}}, functionExternalModules: false
}};
"""
WITHIN_S = 90
ANSWER = "Harbour Kite"


def flow() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = json.loads(FLOW.read_text())
    return nodes


def test_every_node_is_of_the_core_and_every_wire_ends_at_a_node() -> None:
    nodes = {node["id"]: node for node in flow()}
    assert len(nodes) == len(flow())
    assert {node["type"] for node in nodes.values()} == OF_NODE_RED
    for node in nodes.values():
        for ends in node.get("wires", []):
            assert set(ends) <= nodes.keys(), node["name"]
        for place, type_ in (("z", "tab"), ("client", "websocket-client")):
            assert place not in node or nodes[node[place]]["type"] == type_, node["id"]


def test_what_it_says_of_the_contract_is_so() -> None:
    """The names of moods, event and fields that its function compares."""
    [function] = [node["func"] for node in flow() if node["type"] == "function"]
    for mood in MOODS:
        assert f'"{mood.value}"' in function
    event = json.loads((FLOW.parents[1] / "schemas" / "MoodChanged.json").read_text())["properties"]
    assert {"mood", "reason"} <= event.keys()
    assert "heartbeat" in json.dumps(event["reason"])
    api = json.loads((FLOW.parents[1] / "openapi.json").read_text())
    [offer] = [one["get"] for path, one in api["paths"].items() if path.endswith("/songs/offer")]
    assert [parameter["name"] for parameter in offer["parameters"]] == ["mood"]
    reply = json.loads((FLOW.parents[1] / "schemas" / "replies" / "songs.offer.json").read_text())
    assert "songs" in reply["properties"]
    [shown] = [node["complete"] for node in flow() if node["id"] == "songs"]
    assert shown == "payload.result.songs[0].title", "an answer is in `result`"


async def test_node_red_shows_a_mood_and_the_songs_that_it_asked_for(redis_url: str, tmp_path: Path) -> None:
    if not (program := os.environ.get(PROGRAM)):
        pytest.skip("installs Node-RED: `make node-red-try` runs it")
    with Gateway(redis_url).run() as gateway:
        process = started(program, tmp_path, gateway.url.removeprefix("http://"))
        try:
            async with answering(redis_url):
                said = await until_songs(redis_url, tmp_path / "log")
        finally:
            process.terminate()
            process.wait(30)
    assert "[debug:mood]" in said
    assert "calm" in said
    assert f"[debug:songs] {ANSWER}" in said


def started(program: str, folder: Path, page: str) -> "subprocess.Popen[bytes]":
    node = shutil.which("node") or missing("node")
    (folder / "flow.json").write_text(FLOW.read_text().replace("127.0.0.1:8080", page))
    (folder / "settings.js").write_text(SETTINGS.format(port=free_port()))
    with (folder / "log").open("wb") as output:
        return subprocess.Popen([node, program, "--userDir", str(folder)], stdout=output, stderr=output)


async def until_songs(redis_url: str, log: Path) -> str:
    async with asyncio.timeout(WITHIN_S):
        while "[debug:songs]" not in (said := await asyncio.to_thread(log.read_text)) or ANSWER not in said:
            with connected(redis_url) as client:
                mood = mood_changed(MOODS[-1], new_session(), confidence=0.75)
                client.xadd("mood:moods", {"__data__": mood.model_dump_json()})
            await asyncio.sleep(0.5)
    return said
