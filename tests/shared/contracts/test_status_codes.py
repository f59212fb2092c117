"""Why something is online, offline or degraded, as a word: told by everybody, and read by whoever knows fewer words."""

import ast
import asyncio
import json
import re
from pathlib import Path

import pytest

from moodstream.contracts.events import Compared, RankedSong, Song, StatusChanged
from moodstream.contracts.status_codes import StatusCode
from shared.app.heartbeat import Heartbeat
from shared.app.service import create_bus
from shared.settings import Settings, load

ROOT = Path(__file__).parents[3]
SONG = Song(id="s", title="Kites over Kilve", artist="Ola Verano")


@pytest.mark.parametrize("code", [*StatusCode, "a_code_of_tomorrow", None])
def test_a_status_with_any_code_or_none_is_read_and_passed_on_as_it_is(code: str | None) -> None:
    told = StatusChanged(service="camera", part="hall", state="offline", code=code)
    read = StatusChanged.model_validate_json(told.model_dump_json())
    assert read == told
    assert json.loads(read.model_dump_json())["code"] == code


def test_a_status_of_an_older_recording_has_no_code() -> None:
    old = StatusChanged(service="camera", state="online").model_dump(mode="json", exclude={"code"})
    assert StatusChanged.model_validate(old).code is None


def test_a_ranking_that_compares_in_new_words_or_in_none_is_read() -> None:
    new = {"trait": "choir", "degree": "opposite", "direction": None, "weight": 3}
    told = {"song": SONG.model_dump(), "similarity": 0.5, "reason": "Sung by the same choir."}
    assert RankedSong.model_validate(told).compared == ()
    assert RankedSong.model_validate(told | {"compared": [new]}).compared == (
        Compared(trait="choir", degree="opposite"),
    )


async def test_a_service_that_redis_refuses_and_then_serves_again_says_so(redis_url: str) -> None:
    bus = create_bus(load(Settings, redis_url=redis_url))
    await bus.connect()
    telling = asyncio.create_task(Heartbeat(bus, ["emotion", "gateway"]).run())
    try:
        async with asyncio.timeout(20):
            bus.outage.report("test", ConnectionError("nobody is there"))
            while len(await bus.newest(StatusChanged, 10)) < 2:
                await asyncio.sleep(0.1)
            bus.outage.resolve("test")
            while len(told := await bus.newest(StatusChanged, 10)) < 4:
                await asyncio.sleep(0.1)
    finally:
        telling.cancel()
        await bus.close()
    assert {(one.service, one.state, one.code) for one in told if isinstance(one, StatusChanged)} == {
        (service, *state)
        for service in ("emotion", "gateway")
        for state in (("degraded", "redis"), ("online", "recovered"))
    }


def test_every_code_has_its_line_in_the_documents() -> None:
    told = re.findall(r"^\| `(\w+)` \| (?:online|offline|degraded)", (ROOT / "docs" / "events.md").read_text(), re.M)
    assert told == list(StatusCode)


def test_whoever_tells_a_status_gives_its_code() -> None:
    calls = [
        (path.name, node.lineno, {given.arg for given in node.keywords})
        for folder in ("services", "shared", "moodstream")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "StatusChanged"
    ]
    assert len(calls) >= 6
    # None stands for fields that are given as a dictionary, as the simulation does
    assert [call for call in calls if not call[2] & {"code", None}] == []
