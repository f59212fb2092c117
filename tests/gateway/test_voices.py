"""What visitors say: passed on to the voice service where the operator wants that, and kept nowhere."""

from collections.abc import Iterator

import httpx
import pytest

from moodstream.contracts.events import SoundCaptured, utc_now
from services.cli.run.embedded_redis import embedded_redis
from services.gateway.routes.voices import SOUNDS_BURST
from shared.bus.connection import Bus
from shared.contracts.sounds import MAX_SOUND_BYTES
from tests.support.gateways import Gateway, captures_of, connected_bus
from tests.support.voices import babble, wav

SOUND = wav(babble(1.0))
HEARD = {"MOODSTREAM_VOICE": "free", "MOODSTREAM_PROXIES": "127.0.0.1"}
SECRET = b"Xylophontraum"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url, HEARD).run() as running:
        yield running


async def send(
    client: httpx.AsyncClient, body: bytes, camera_id: str | None = None, address: str = "203.0.113.1"
) -> httpx.Response:
    query = {} if camera_id is None else {"camera_id": camera_id}
    return await client.post("/api/v1/voices", content=body, params=query, headers={"X-Forwarded-For": address})


async def test_an_utterance_waits_for_the_voice_service(client: httpx.AsyncClient, bus: Bus) -> None:
    answer = await send(client, SOUND, "hand-1-1")
    [captured] = await captures_of(bus, SoundCaptured, "hand-1-1")
    assert (answer.status_code, answer.json()) == (202, {"id": captured.id, "camera_id": "hand-1-1"})
    assert captured.sound == SOUND
    assert abs((utc_now() - captured.captured_at).total_seconds()) < 10
    assert (await send(client, b"fLaC" + bytes(40))).json()["camera_id"] == "camera-1"
    assert (await send(client, b"OggS" + bytes(40))).status_code == 202


async def test_few_wait_the_newest(client: httpx.AsyncClient, bus: Bus) -> None:
    for number in range(12):
        await send(client, b"OggS" + bytes([number]), "hand-2-2", f"203.0.113.{20 + number % 3}")
    waiting = await captures_of(bus, SoundCaptured, "hand-2-2")
    assert [one.sound[-1] for one in waiting] == list(range(4, 12))
    assert [one.seq for one in waiting] == list(range(waiting[0].seq, waiting[0].seq + 8))


@pytest.mark.parametrize(
    ("body", "camera_id", "status"),
    [
        (b"", None, 422),
        (b"RIFF", None, 422),
        (b"RIFF\x10\x00\x00\x00AVI LIST", None, 422),
        (b"{}", None, 422),
        (b"\xff\xd8\xff\xe0", None, 422),
        (b"ID3\x04", None, 422),
        (SOUND, "nowhere", 404),
        (SOUND, "../x", 422),
        (SOUND + bytes(MAX_SOUND_BYTES), None, 413),
    ],
    ids=["nothing", "a part", "a film", "JSON", "a picture", "MP3", "no such place", "no name", "too large"],
)
async def test_what_is_no_utterance_is_refused_in_one_line(
    client: httpx.AsyncClient, bus: Bus, body: bytes, camera_id: str | None, status: int
) -> None:
    before = await bus.frames.xlen(bus.key("sounds"))
    answer = await send(client, body, camera_id, "203.0.113.3")
    assert answer.status_code == status
    assert "\n" not in answer.json()["error"]
    assert await bus.frames.xlen(bus.key("sounds")) == before


async def test_one_address_says_only_so_much(client: httpx.AsyncClient) -> None:
    answers = [await send(client, b"OggS", None, "203.0.113.4") for _ in range(3 * SOUNDS_BURST)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(answers) - len(refused) >= SOUNDS_BURST
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert (await send(client, b"OggS", None, "203.0.113.5")).status_code == 202


async def test_all_together_say_only_so_much(client: httpx.AsyncClient) -> None:
    large = b"OggS" + bytes(MAX_SOUND_BYTES - 4)
    answers = [await send(client, large, None, f"203.0.113.{100 + number}") for number in range(30)]
    assert {answer.status_code for answer in answers} == {202, 429}


async def test_a_page_learns_whether_voices_are_heard(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/state")).json()["kiosk"]["voice"] == "free"


async def test_a_voice_service_that_is_wanted_and_away_is_told(client: httpx.AsyncClient) -> None:
    status = (await client.get("/api/v1/status")).json()
    assert (status["services"]["voice"], status["services"]["bridge"], status["state"]) == (
        "offline",
        "off",
        "degraded",
    )


async def test_nothing_is_heard_unless_it_is_wanted(redis_url: str) -> None:
    with Gateway(redis_url).run() as site:
        async with httpx.AsyncClient(base_url=site.url, timeout=10) as client, connected_bus(redis_url) as bus:
            answer = await send(client, SOUND)
            assert (answer.status_code, "MOODSTREAM_VOICE" in answer.json()["error"]) == (404, True)
            assert (await client.get("/api/v1/state")).json()["kiosk"]["voice"] is None
            assert (await client.get("/api/v1/status")).json()["services"]["voice"] == "off"
            assert not await bus.frames.exists(bus.key("sounds"))


async def test_nothing_is_heard_while_the_site_is_closed() -> None:
    day = ["mo", "tu", "we", "th", "fr", "sa", "su"][(utc_now().weekday() + 3) % 7]
    closed = HEARD | {"MOODSTREAM_OPENING_HOURS": f"{day} 00:00-00:01", "MOODSTREAM_TIME_ZONE": "UTC"}
    with embedded_redis() as url, Gateway(url, closed).run() as site:
        async with httpx.AsyncClient(base_url=site.url, timeout=10) as client:
            assert (await send(client, SOUND)).status_code == 409


async def test_no_log_holds_a_sound(capfd: pytest.CaptureFixture[str]) -> None:
    with embedded_redis() as url, Gateway(url, HEARD | {"MOODSTREAM_LOG_LEVEL": "DEBUG"}).run() as site:
        async with httpx.AsyncClient(base_url=site.url, timeout=10) as client:
            for sound in (b"OggS" + SECRET, SECRET, b"RIFF1234WAVE" + SECRET):
                await send(client, sound)
    said = capfd.readouterr()
    assert "gateway" in said.out + said.err
    assert SECRET.decode() not in said.out + said.err
