"""What the operator sees and does over HTTP, and that nobody else can."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from moodstream.contracts.events import MoodChanged, RequestMade, StatusChanged, utc_now
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from shared.bus.heartbeats import write_heartbeat
from tests.support.gateways import Gateway, answer, listening
from tests.support.page.site import TOKEN, Site, site
from tests.support.scenes import CAMERA, camera_online, faces_read, mood_changed, new_session, playing

BASIC = {"Authorization": "Basic " + base64.b64encode(f"op:{TOKEN}".encode()).decode()}
SETTINGS = {"MOODSTREAM_OPERATOR_TOKEN": TOKEN, "MOODSTREAM_REQUESTS_PER_S": "0"}
PATHS = ("/operator", "/operator/sign", "/operator/staff", "/api/v1/operator/status", "/api/v1/operator/history")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url, SETTINGS).run() as running:
        yield running


@pytest.fixture
async def operator(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, headers=BASIC, timeout=20) as client:
        yield client


async def told(client: httpx.AsyncClient, path: str = "status", **query: Any) -> dict[str, Any]:
    answered = await client.get(f"/api/v1/operator/{path}", params=query)
    assert answered.status_code == 200, answered.text
    result: dict[str, Any] = answered.json()["result"]
    return result


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_else_sees_it(path: str, client: httpx.AsyncClient, operator: httpx.AsyncClient) -> None:
    asked = await client.get(path)
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic")
    assert TOKEN not in asked.text
    assert (await operator.get(path)).status_code == 200
    assert (await client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200
    foreign = BASIC | {"Origin": "https://elsewhere.example"}
    assert (await client.get(path, headers=foreign)).status_code == 403


async def test_whoever_guesses_has_to_wait_and_the_operator_elsewhere_does_not() -> None:
    behind = SETTINGS | {"MOODSTREAM_PROXIES": "127.0.0.1"}
    with embedded_redis() as url, Gateway(url, behind).run() as running:
        async with httpx.AsyncClient(base_url=running.url) as anybody:
            guesser = {"Authorization": "Bearer wrong", "X-Forwarded-For": "203.0.113.9"}
            statuses = [(await anybody.get("/operator", headers=guesser)).status_code for _ in range(14)]
            assert statuses == [401] * 10 + [429] * 4
            right = guesser | BASIC
            assert (await anybody.get("/operator", headers=right)).is_success, "nobody locks the operator out"
            assert (await anybody.get("/operator", headers=right | {"X-Forwarded-For": "203.0.113.10"})).is_success


async def test_without_a_token_only_this_machine_is_let_in_and_not_through_a_proxy() -> None:
    with embedded_redis() as url, Gateway(url).run() as running:
        async with httpx.AsyncClient(base_url=running.url) as anybody:
            assert (await anybody.get("/operator")).status_code == 200
            for headers in ({"X-Forwarded-For": "203.0.113.9"}, {"Host": "kiosk.example"}):
                assert (await anybody.get("/operator", headers=headers)).status_code in (403, 421)


async def test_the_token_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_OPERATOR_TOKEN_FILE": str(file)}).run() as running:
        async with httpx.AsyncClient(base_url=running.url) as anybody:
            assert (await anybody.get("/operator")).status_code == 401
            assert (await anybody.get("/operator", headers=BASIC)).status_code == 200


async def test_the_status_tells_cameras_by_time_alone(bus: Bus, operator: httpx.AsyncClient) -> None:
    session = new_session()
    reading = faces_read()
    for event in (camera_online(), reading, mood_changed(Mood.HAPPY, session, phase="start"), playing(volume=40)):
        await bus.publish(event)
    async with asyncio.timeout(10):
        while not (status := await told(operator))["playback"]:
            await asyncio.sleep(0.05)
    camera = status["cameras"][CAMERA]
    assert (camera["state"], camera["mood"], camera["visited"]) == ("online", "happy", True)
    assert camera["last_frame_at"] == reading.captured_at.isoformat()
    assert "box" not in json.dumps(status)
    assert status["services"]["emotion"] == {"state": "offline", "workers": 0, "seen_s_ago": None}
    assert status["services"]["bridge"]["state"] == "off"
    assert status["services"]["gateway"]["state"] == "online"
    assert status["state"] == "degraded"
    assert {stream["stream"] for stream in status["streams"]} >= {"frames", "moods", "requests"}
    await bus.publish(playing(volume=0))
    async with asyncio.timeout(10):
        while (await told(operator))["playback"]["volume"] != 0:
            await asyncio.sleep(0.05)
    assert (await told(operator))["volume_before_mute"] == 40


async def test_a_service_is_there_while_it_says_so(bus: Bus, operator: httpx.AsyncClient) -> None:
    await bus.redis.xgroup_create(bus.stream(MoodChanged), "recommender", id="0", mkstream=True)
    await write_heartbeat(bus, ["recommender"])
    await asyncio.sleep(1.1)
    status = await told(operator)
    assert status["services"]["recommender"]["state"] == "online"
    assert status["services"]["recommender"]["workers"] == 1
    assert 1 <= status["services"]["recommender"]["seen_s_ago"] < 10
    moods = next(stream for stream in status["streams"] if stream["stream"] == "moods")
    assert moods["groups"][0]["group"] == "recommender"
    await bus.redis.xadd(bus.stream(MoodChanged) + ":dead", {"error": "x"})
    await asyncio.sleep(1.1)
    public = (await operator.get("/api/v1/status")).json()
    assert public["dead_letters"] == 1
    assert public["services"]["recommender"] == "online"


async def test_the_chart_counts_moods_visits_and_songs(bus: Bus, operator: httpx.AsyncClient) -> None:
    session, start = new_session(), utc_now() - timedelta(minutes=30)
    steps = (("start", Mood.SAD, 0), ("update", Mood.SAD, 20), ("update", Mood.CALM, 40), ("end", Mood.NOBODY, 65))
    for phase, mood, second in steps:
        at = start + timedelta(seconds=second)
        await bus.publish(mood_changed(mood, session, phase=phase, camera_id="past", at=at))
    await bus.publish(playing(at=start, session_id=session))
    async with asyncio.timeout(10):
        while True:
            visits = (await operator.get("/api/v1/sessions")).json()["sessions"]
            visit = next((one for one in visits if one["session_id"] == session), None)
            if visit and visit["ended_at"]:
                break
            await asyncio.sleep(0.05)
    assert visit["seconds"] == {"sad": 40.0, "calm": 25.0}
    history = await told(operator, "history", hours=1)
    total = {mood: sum(one["seconds"].get(mood, 0) for one in history["buckets"]) for mood in ("sad", "calm")}
    assert total == {"sad": 40.0, "calm": 25.0}
    assert len(history["buckets"]) <= 96


async def test_closing_rests_cameras_ends_visits_and_tells_everybody_at_once(
    bus: Bus, gateway: Gateway, operator: httpx.AsyncClient
) -> None:
    await bus.publish(mood_changed(Mood.HAPPY, new_session(), phase="start", camera_id="hall"))
    await bus.publish(StatusChanged(service="camera", part="hall", state="online"))
    async with asyncio.timeout(5):
        while "hall" not in (await told(operator))["cameras"]:
            await asyncio.sleep(0.05)
    async with listening(operator) as messages:
        assert (await anext(messages)).data["opening"]["open"] is True
        asked = await bus.last_id(RequestMade)
        reply = await operator.post("/api/v1/operator/opening", json={"open": False})
        assert reply.json()["result"] == {"open": False, "changes_at": None, "by": "operator"}
        async with asyncio.timeout(10):
            while (message := await anext(messages)).event != "snapshot":
                pass
            assert message.data["opening"]["open"] is False
            wanted = {("session.end", "hall"), ("player.command", None), ("camera.pause", "hall")}
            async for entry in bus.follow({RequestMade: asked}, block_ms=100):
                if entry and isinstance(entry[1], RequestMade):
                    request = entry[1]
                    camera = request.body.get("camera_id")
                    wanted.discard((request.kind, str(camera) if camera else None))
                    if (request.kind, camera) == ("camera.pause", "hall"):
                        assert request.body["reason"] == "closed"
                        assert float(str(request.body["seconds"])) > 20
                if not wanted:
                    break
        picture = await operator.post("/api/v1/frames?camera=mine", content=b"\xff\xd8\xff")
        assert (picture.status_code, picture.json()) == (409, {"error": "the site is closed now"})
        assert (await operator.get("/api/v1/status")).json()["opening"]["open"] is False
        woken = await answer(bus, "camera.pause")
        assert (await operator.post("/api/v1/operator/opening", json={"open": None})).is_success
        assert (await woken).body["seconds"] == 0
        async with asyncio.timeout(10):
            while (message := await anext(messages)).event != "snapshot":
                pass
        assert message.data["opening"] == {"open": True, "changes_at": None, "by": "hours"}


async def test_by_hand_outlives_a_restart() -> None:
    with embedded_redis() as url, Gateway(url, SETTINGS).run() as running:
        async with httpx.AsyncClient(base_url=running.url, headers=BASIC, timeout=20) as operator:
            await operator.post("/api/v1/operator/opening", json={"open": False})
            running.stop()
            running.start()
            async with asyncio.timeout(10):
                while (await operator.get("/api/v1/status")).json()["opening"]["open"]:
                    await asyncio.sleep(0.1)


async def test_consents_are_counted_by_day_and_nothing_else_is_kept(bus: Bus, operator: httpx.AsyncClient) -> None:
    for body in (
        {"choice": "given"},
        {"choice": "given", "by": "stay"},
        {"choice": "declined"},
        {"choice": "given"},
        {"choice": "stopped"},
        {"choice": "given", "to": "voice"},
        {"choice": "given", "to": "voice"},
        {"choice": "declined", "to": "voice"},
        {"choice": "withdrawn", "to": "voice"},
    ):
        assert (await operator.post("/api/v1/consents", json=body)).status_code == 204
    today = (await told(operator))["consents"][0]
    assert {name: today[name] for name in today if name != "day"} == {
        "given_by_touch": 2,
        "given_by_stay": 1,
        "declined": 1,
        "stopped": 1,
        "withdrawn": 0,
        "viewed": 0,
        "voice_given": 2,
        "voice_declined": 1,
        "voice_withdrawn": 1,
    }
    for wrong in ({"choice": "stopped", "to": "voice"}, {"choice": "given", "by": "stay", "to": "voice"}):
        assert (await operator.post("/api/v1/consents", json=wrong)).status_code == 422
    (key,) = await bus.redis.keys("mood:consents:*")
    assert await bus.redis.ttl(key) > 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("site"), "--camera", "pattern:", "--player", "log") as one:
        yield one


async def test_the_self_test_reads_a_drawn_face_and_asks_everybody(whole: Site) -> None:
    async with httpx.AsyncClient(base_url=whole.url, headers=BASIC, timeout=30) as operator:
        async with asyncio.timeout(60):
            while True:  # a busy machine is slow at first, and its camera has not said anything yet
                result = (await operator.post("/api/v1/operator/self-test")).json()["result"]
                if result["ok"] and len(result["checks"]) == 5:
                    break
                await asyncio.sleep(1)
        assert any("happy" in check["detail"] for check in result["checks"] if "emotion" in check["name"])
        state = (await operator.get("/api/v1/state")).json()
        assert "self-test" not in state["cameras"]
        status = await told(operator)
        assert {name for name, one in status["services"].items() if one["state"] == "online"} >= {
            *("camera", "emotion", "recommender", "player", "gateway")
        }


async def test_the_camera_rests_while_the_site_is_closed_and_wakes_after(whole: Site) -> None:
    async with httpx.AsyncClient(base_url=whole.url, headers=BASIC, timeout=30) as operator:

        async def camera() -> dict[str, Any]:
            found: dict[str, Any] = (await told(operator))["cameras"].get(CAMERA, {})
            return found

        async with asyncio.timeout(60):
            while (await camera()).get("state") != "online":
                await asyncio.sleep(0.3)
            await operator.post("/api/v1/operator/opening", json={"open": False})
            while (await camera()).get("code") != "closed":
                await asyncio.sleep(0.3)
            await asyncio.sleep(1)
            last = (await camera())["last_frame_at"]
            await asyncio.sleep(2)
            assert (await camera())["last_frame_at"] == last
            assert (await operator.get("/api/v1/status")).json()["opening"]["open"] is False
            await operator.post("/api/v1/operator/opening", json={"open": None})
            while (await camera()).get("state") != "online":
                await asyncio.sleep(0.3)
            while (await camera())["last_frame_at"] == last:
                await asyncio.sleep(0.3)
