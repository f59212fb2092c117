"""What stands before the API, and what it is made of: limits, bodies, proxies, HTTPS, pictures over HTTP, the past."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from moodstream.contracts.events import utc_now
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from services.gateway.pictures.pushed_frames import IDLE_S
from shared.app.server import REQUEST_TIMEOUT_S
from shared.bus.connection import Bus
from shared.web.rate_limit import Limits
from tests.support.certificates import make_certificate
from tests.support.gateways import JPEG, ROOT, Gateway, connected_bus, frames_of, listening, state_where, states_of
from tests.support.scenes import mood_changed, new_session


def test_a_bucket_fills_again_and_addresses_keep_apart() -> None:
    now = 0.0
    limits = Limits(2, 4, lambda: now)
    assert [limits.take("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert limits.take("b") == 0
    now = 0.5
    assert limits.take("a") == 0
    assert limits.take("a") > 0
    now = 100.0
    assert [limits.take("a") > 0 for _ in range(5)] == [False] * 4 + [True]
    assert limits.take("2001:db8::1") == 0
    assert [limits.take("2001:db8::2") > 0 for _ in range(4)] == [False] * 3 + [True], "one network, one bucket"
    assert not any(Limits(0, 0).take("a") for _ in range(100))


def test_the_addresses_that_are_remembered_are_bounded() -> None:
    limits = Limits(1, 1)
    for number in range(30_000):
        limits.take(f"{number}")
    assert len(limits._left) == 10_000


async def test_who_asks_too_often_is_told_to_wait_and_others_are_not() -> None:
    busy = {"MOODSTREAM_REQUESTS_PER_S": "0.5", "MOODSTREAM_PROXIES": "127.0.0.1/32"}
    with embedded_redis() as url, Gateway(url, busy).run() as gateway:
        mine = {"X-Forwarded-For": "203.0.113.9"}  # who waited for the start has asked from this machine
        async with httpx.AsyncClient(base_url=gateway.url, headers=mine) as client:
            replies = [await client.get("/api/v1/state") for _ in range(8)]
            assert [reply.status_code for reply in replies][:5] == [200] * 5
            assert replies[-1].status_code == 429
            assert int(replies[-1].headers["retry-after"]) >= 1
            assert replies[-1].headers["x-content-type-options"] == "nosniff"
            assert list(replies[-1].json()) == ["error"]
            other = await client.get("/api/v1/state", headers={"X-Forwarded-For": "198.51.100.7"})
            assert other.status_code == 200
            async with listening(client) as messages:  # who listens is counted elsewhere
                assert (await anext(messages)).event == "snapshot"


async def test_without_a_proxy_setting_nobody_chooses_an_address() -> None:
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_REQUESTS_PER_S": "0.5"}).run() as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            headers = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in range(60)]
            assert 429 in [(await client.get("/api/v1/state", headers=one)).status_code for one in headers]


async def test_so_many_listen_from_one_address() -> None:
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_LISTENERS_PER_ADDRESS": "2"}).run() as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            async with listening(client) as one, listening(client) as two:
                await anext(one), await anext(two)
                assert (await client.get("/api/v1/events")).status_code == 429
            async with asyncio.timeout(5):
                while (await _status(client)) != 200:
                    await asyncio.sleep(0.05)


async def _status(client: httpx.AsyncClient) -> int:
    async with client.stream("GET", "/api/v1/events") as stream:
        return stream.status_code


async def test_a_body_without_a_length_is_counted(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    reply = await client.post("/api/v1/picks", content=endless())
    assert (reply.status_code, list(reply.json())) == (413, ["error"])


async def test_pictures_over_http_become_a_camera_that_ends_by_itself(bus: Bus, client: httpx.AsyncClient) -> None:
    reply = await client.post("/api/v1/frames?camera=porch", content=JPEG, headers={"Content-Type": "image/jpeg"})
    assert (reply.status_code, reply.json()) == (202, {"camera_id": "push-porch"})
    frame = (await frames_of(bus, "push-porch"))[0]
    assert (frame.jpeg, frame.seq) == (JPEG, 0)
    assert (await client.post("/api/v1/frames?camera=porch", content=b"<html>")).status_code == 422
    assert (await client.post("/api/v1/frames?camera=porch", content=JPEG)).status_code in (202, 429)
    assert (await client.post("/api/v1/frames?camera=../x", content=JPEG)).status_code == 422
    too_big = await client.post("/api/v1/frames?camera=porch", content=JPEG + bytes(3_000_000))
    assert too_big.status_code == 413
    async with asyncio.timeout(3 * IDLE_S):
        assert (await states_of(bus, "push-porch", 1)) == [("online", "pushed")]
        while "push-porch" in [told["part"] for told in (await client.get("/api/v1/state")).json()["status"]]:
            await asyncio.sleep(0.5)


async def test_moods_of_the_past_are_read_page_by_page(bus: Bus, client: httpx.AsyncClient) -> None:
    session, name = new_session(), "past-1"
    moods = [mood_changed(Mood.CALM, session, camera_id=name, repeated=number % 2 == 1) for number in range(7)]
    since = (utc_now() - timedelta(seconds=1)).isoformat()
    for mood in moods:
        await bus.publish(mood)
    query = {"camera_id": name, "count": "3", "since": since}
    heard: list[str] = []
    pages = 0
    while True:
        page = (await client.get("/api/v1/moods", params=query)).json()
        heard += [mood["id"] for mood in page["moods"]]
        pages += 1
        if page["before"] is None:
            break
        query["before"] = page["before"]
    assert heard == [mood.id for mood in reversed(moods)]
    assert pages == 3
    changes = await client.get("/api/v1/moods", params={"camera_id": name, "changes": "true"})
    assert len(changes.json()["moods"]) == 4
    await state_where(client, lambda state: name in state["cameras"])
    assert (await client.get("/api/v1/moods/current")).json()["moods"][name]["id"] == moods[-1].id
    assert (await client.get("/api/v1/moods", params={"since": "2026-01-01T00:00:00"})).status_code == 422
    assert (await client.get("/api/v1/moods", params={"before": "0-0"})).json() == {"moods": [], "before": None}


async def test_https_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    key, authority = await asyncio.to_thread(make_certificate, tmp_path)
    trusted = ssl.create_default_context(cafile=str(authority))
    safe = {"MOODSTREAM_TLS_CERTIFICATE": str(authority), "MOODSTREAM_TLS_KEY": str(key)}
    with embedded_redis() as url, Gateway(url, safe, verify=trusted).run() as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, verify=trusted) as client, listening(client) as messages:
            assert gateway.url.startswith("https://")
            assert (await anext(messages)).event == "snapshot"
            own = await client.post("/api/v1/feedback", json={"kind": "like"}, headers={"Origin": gateway.url})
            assert own.status_code == 202


@pytest.mark.parametrize("name", ["MOODSTREAM_TLS_CERTIFICATE", "MOODSTREAM_OPERATOR_TOKEN_FILE"])
def test_a_file_of_no_use_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    wrong = os.environ | {name: str(tmp_path / "missing"), "MOODSTREAM_REDIS_URL": "unix:///nonexistent"}
    command = [sys.executable, "-m", "services.gateway.main"]
    ended = subprocess.run(command, cwd=ROOT, env=wrong, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert name in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


async def test_one_that_has_stopped_reading_does_not_hold_up_the_end() -> None:
    with embedded_redis() as url, Gateway(url).run() as gateway:
        async with connected_bus(url) as bus:
            reader, writer = await asyncio.open_connection(sock=gateway.connect_narrowly())
            writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"event: snapshot")
            for number in range(600):  # far more than the kernel and the transport hold
                await bus.publish(mood_changed(Mood.HAPPY, new_session(), model=f"{number}" + "x" * 10_000))
            await asyncio.sleep(1)
            code, seconds = gateway.stop()
            writer.close()
    assert code == 0
    assert seconds < REQUEST_TIMEOUT_S - 0.5, "it was waited for as long as for anybody"


async def test_two_hundred_listeners_cost_little(bus: Bus, gateway: Gateway) -> None:
    request = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def listen() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=2**20)
        writer.write(request)
        try:
            while await reader.readline():
                ready.release()
        finally:
            writer.close()

    before_mb, ready = gateway.memory_mb(), asyncio.Semaphore(0)
    listeners = [asyncio.create_task(listen()) for _ in range(200)]
    try:
        async with asyncio.timeout(60):
            for _ in range(200):
                await ready.acquire()
            for _ in range(300):
                await bus.publish(mood_changed(Mood.HAPPY, new_session()))
            last = mood_changed(Mood.SAD, new_session())
            await bus.publish(last)
            async with httpx.AsyncClient(base_url=gateway.url) as client:
                await state_where(
                    client, lambda state: state["cameras"]["camera-1"]["mood"]["session_id"] == last.session_id
                )
        grown_mb = gateway.memory_mb() - before_mb
    finally:
        for task in listeners:
            task.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    assert grown_mb < 60


async def test_it_recovers_by_itself_when_redis_returns(tmp_path: Path) -> None:
    kept = tmp_path / "redis"
    with embedded_redis(kept) as url:
        gateway = Gateway(url, {"MOODSTREAM_FRAMES_ON_DISK": "true"})
        gateway.start()
    try:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=20) as client:
            await asyncio.sleep(1.5)
            status = await client.get("/api/v1/status")
            assert (status.status_code, status.json()["redis"]) == (503, False)
            socket = Path(url.removeprefix("unix://"))
            with embedded_redis(kept) as again:
                lead_to(socket, again)
                async with asyncio.timeout(20), connected_bus(again) as bus:
                    while (await client.get("/api/v1/status")).status_code != 200:
                        await asyncio.sleep(0.2)
                    mood = mood_changed(Mood.SAD, new_session(), phase="start", camera_id="back")
                    await bus.publish(mood)
                    while "back" not in (await client.get("/api/v1/state")).json()["cameras"]:
                        await asyncio.sleep(0.2)
    finally:
        gateway.stop()
        shutil.rmtree(Path(url.removeprefix("unix://")).parent)


def lead_to(place: Path, url: str) -> None:
    """Where a server was, another one answers now."""
    place.parent.mkdir()
    place.symlink_to(url.removeprefix("unix://"))
