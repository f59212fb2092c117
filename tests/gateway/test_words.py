"""What visitors write: read, passed on as a mood, and kept nowhere."""

import httpx
import pytest

from moodstream.contracts.events import WordsRead
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, connected_bus

SECRET = "Xylophontraum"
"""A word that nothing else says."""


async def read_words(bus: Bus, camera_id: str) -> list[WordsRead]:
    """Those of one place."""
    read = [event for _, event in await bus.newest_entries(WordsRead, count=100)]
    return [event for event in read if isinstance(event, WordsRead) and event.camera_id == camera_id]


@pytest.mark.parametrize(
    ("number", "text", "mood", "language"),
    [
        (1, "I am so happy today!", "happy", "en"),
        (2, "I am not happy at all", "sad", "en"),
        (3, "ich bin heute richtig wütend", "angry", "de"),
        (4, "je suis triste et seul", "sad", "fr"),
        (5, "😡😡", "angry", None),
        (6, "今日は :(", "sad", None),
    ],
)
async def test_words_are_read_and_told(
    client: httpx.AsyncClient, bus: Bus, number: int, text: str, mood: str, language: str | None
) -> None:
    place = f"hand-1-{number}"
    answer = (await client.post("/api/v1/words", json={"text": text, "camera_id": place})).raise_for_status().json()
    assert max(answer["probabilities"], key=answer["probabilities"].get) == mood
    assert answer["language"] == language
    [event] = await read_words(bus, place)
    assert event.id == answer["id"]
    assert event.probabilities is not None


@pytest.mark.parametrize("text", ["", "   ", "...", "12345 67", "こんにちは", "\x00\x01"])
async def test_a_text_that_tells_nothing_changes_nothing(client: httpx.AsyncClient, bus: Bus, text: str) -> None:
    answer = await client.post("/api/v1/words", json={"text": text, "camera_id": "hand-2-2"})
    told = answer.raise_for_status().json()
    assert (told["probabilities"], told["valence"], told["language"]) == (None, None, None)
    assert await read_words(bus, "hand-2-2") == []


@pytest.mark.parametrize(
    ("text", "status"), [("happy" * 500, 422), ("happy " * 200_000, 413), (7, 422), (None, 422), (["happy"], 422)]
)
async def test_bad_words_are_refused_in_one_line(client: httpx.AsyncClient, text: object, status: int) -> None:
    answer = await client.post("/api/v1/words", json={"text": text})
    assert answer.status_code == status
    assert "happy" not in answer.text
    assert "\n" not in answer.json()["error"]


async def test_an_unknown_camera_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/words", json={"text": "happy", "camera_id": "nowhere"})).status_code == 404


async def test_no_log_event_or_key_holds_a_text(capfd: pytest.CaptureFixture[str]) -> None:
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_LOG_LEVEL": "DEBUG"}).run() as site:
        async with httpx.AsyncClient(base_url=site.url, timeout=30) as client, connected_bus(url) as bus:
            for text in (f"I am so happy, {SECRET}", SECRET * 500, f"{SECRET} 😡"):
                await client.post("/api/v1/words", json={"text": text, "camera_id": "hand-3-3"})
            assert len(await read_words(bus, "hand-3-3")) == 2
            dumps = [await bus.redis.dump(key) async for key in bus.redis.scan_iter()]
    assert not any(SECRET.encode() in (dump or b"") for dump in dumps)
    said = capfd.readouterr()
    assert "gateway" in said.out + said.err
    assert SECRET not in said.out + said.err
