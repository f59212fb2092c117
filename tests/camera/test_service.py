"""The camera service on a real server: real capture processes, real files."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from redis import Redis

from moodstream.contracts.events import MoodChanged, StatusChanged, expiry, new_id, utc_now
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.camera.main import create_service
from services.camera.settings import CameraSettings
from shared.app.service import create_bus
from shared.settings import load
from tests.support.asking import ask
from tests.support.cameras import FAKE_WEBCAM, Watched, children, some_frames, watched
from tests.support.needs import ROOT
from tests.support.pictures import film
from tests.support.servers.mjpeg_server import MjpegServer


async def test_a_film_plays_by_its_own_time_and_ends(redis_url: str, tmp_path: Path) -> None:
    ended = asyncio.Event()
    async with watched(redis_url, str(film(tmp_path / "film.avi")), frame_rate=5, once=True, ended=ended.set) as seen:
        async with asyncio.timeout(15):
            await ended.wait()
        got, told = await seen.frames(), await seen.told()
    assert 13 <= len(got) <= 16
    assert [frame.seq for frame in got] == list(range(len(got)))
    assert len({frame.run_id for frame in got}) == 1
    assert all(frame.jpeg.startswith(b"\xff\xd8\xff") for frame in got)
    length_s = (got[-1].captured_at - got[0].captured_at).total_seconds()
    assert 2.5 <= length_s <= 3.3
    assert [(one.state, one.code, one.reason) for one in told] == [
        ("online", "file", "film.avi"),
        ("offline", "end_of_input", "end of input"),
    ]


async def test_a_film_gives_no_picture_twice(redis_url: str, tmp_path: Path) -> None:
    """30 pictures at 10 a second, asked for 30 times a second."""
    ended = asyncio.Event()
    async with watched(redis_url, str(film(tmp_path / "film.avi")), frame_rate=30, once=True, ended=ended.set) as seen:
        async with asyncio.timeout(15):
            await ended.wait()
        got = await seen.frames()
    assert 28 <= len(got) <= 30
    assert len({frame.jpeg for frame in got}) == len(got)


async def test_a_film_as_fast_as_it_can_be_read(redis_url: str, tmp_path: Path) -> None:
    ended = asyncio.Event()
    address = str(film(tmp_path / "film.avi"))
    cameras = f'[{{"id": "fast", "address": "{address}", "real_time": false, "once": true, "frame_rate": 10}}]'
    begun_s = time.monotonic()
    async with watched(redis_url, "pattern:", cameras=cameras, ended=ended.set) as seen:
        async with asyncio.timeout(15):
            await ended.wait()
        got = await seen.frames()
    assert [frame.seq for frame in got] == list(range(30))
    assert (got[-1].captured_at - got[0].captured_at).total_seconds() < 1.5
    assert time.monotonic() - begun_s < 10


async def test_a_film_begins_again_unless_told_otherwise(redis_url: str, tmp_path: Path) -> None:
    async with watched(redis_url, str(film(tmp_path / "film.avi")), frame_rate=10) as seen:
        await some_frames(seen, 45)
        assert await seen.statuses() == [("online", "file")]


async def test_a_frame_says_when_its_picture_arrived(redis_url: str) -> None:
    async with watched(redis_url, "pattern:", frame_rate=10) as seen:
        await some_frames(seen, 10)
        entries = await seen.bus.redis.xrange("mood:frames")
        got = await seen.frames()
    delays_ms = [
        int(entry_id.split(b"-")[0]) - 1000 * one.captured_at.timestamp()
        for (entry_id, _), one in zip(entries, got, strict=True)
    ]
    assert all(delay_ms >= -2 for delay_ms in delays_ms)
    assert sorted(delays_ms)[len(delays_ms) // 2] < 100


async def test_a_camera_rests_and_lets_go_of_the_device(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode = tmp_path / "mode"
    mode.write_text("good")
    monkeypatch.setenv("FAKE_WEBCAM", str(mode))
    async with watched(redis_url, "webcam:0", command=FAKE_WEBCAM) as seen:
        await some_frames(seen)
        reply = await ask(seen.bus, "camera.pause", {"camera_id": "camera-1", "seconds": 3}, timeout_s=5)
        assert reply.error is None
        await seen.until("offline", "resting", limit_s=2)
        async with asyncio.timeout(2):
            while "released" not in (tmp_path / "mode.log").read_text():
                await asyncio.sleep(0.05)
        before = await seen.count()
        await asyncio.sleep(0.7)
        assert await seen.count() == before
        await seen.until("online", limit_s=8)
        await some_frames(seen, before)
        assert await seen.statuses() == [("online", "live"), ("offline", "resting"), ("online", "live")]


@pytest.mark.parametrize("body", [{"camera_id": "camera-1"}, {"camera_id": "camera-1", "seconds": "long"}])
async def test_a_senseless_pause_is_refused(redis_url: str, body: dict[str, object]) -> None:
    async with watched(redis_url, "pattern:") as seen:
        reply = await ask(seen.bus, "camera.pause", body, timeout_s=5)  # type: ignore[arg-type]
    assert reply.error


async def test_a_request_to_another_camera_is_not_answered(redis_url: str) -> None:
    async with watched(redis_url, "pattern:") as seen:
        with pytest.raises(TimeoutError):
            await ask(seen.bus, "camera.status", {"camera_id": "another"}, timeout_s=0.5)
        assert (await ask(seen.bus, "camera.status", {"camera_id": "camera-1"}, timeout_s=5)).error is None


async def test_a_camera_that_is_away_is_told(redis_url: str) -> None:
    async with watched(redis_url, "webcam:63") as seen:
        await seen.until("offline", "lost", "cannot open webcam:63", limit_s=5)


async def test_several_cameras_in_one_service(redis_url: str, tmp_path: Path) -> None:
    toml = tmp_path / "cameras.toml"
    (tmp_path / "film.avi").write_bytes(film(tmp_path / "x.avi").read_bytes())
    toml.write_text(
        f'[[cameras]]\nid = "door"\naddress = "{tmp_path / "film.avi"}"\nframe_rate = 5\n'
        '[[cameras]]\nid = "bar"\naddress = "pattern:"\nrotation = 90\n'
        '[[cameras]]\nid = "hall"\naddress = "webcam:63"\n'
    )
    async with watched(redis_url, "pattern:", cameras=str(toml)) as seen:
        await some_frames(seen, 40)
        got = await seen.frames()
        told = {
            one.part: one.state for one in await seen.bus.newest(StatusChanged, 10) if isinstance(one, StatusChanged)
        }
    assert {frame.camera_id for frame in got} == {"door", "bar"}
    assert told == {"door": "online", "bar": "online", "hall": "offline"}


async def test_the_rate_follows_the_visitors(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.camera.watch.camera.IDLE_AFTER_S", 1.0)
    async with watched(redis_url, "pattern:", frame_rate=20, idle_frame_rate=2) as seen:
        await some_frames(seen)
        await asyncio.sleep(2)
        idle = await frames_in(seen, 1.5)
        await seen.bus.publish(visit("start"))
        await asyncio.sleep(0.5)
        busy = await frames_in(seen, 1.5)
        await seen.bus.publish(visit("end"))
        await asyncio.sleep(2)
        idle_again = await frames_in(seen, 1.5)
    assert 1 <= idle <= 6
    assert 12 <= busy <= 32, "20 a second, fewer on a busy machine"
    assert 1 <= idle_again <= 6


async def frames_in(seen: Watched, seconds: float) -> int:
    before = await seen.count()
    await asyncio.sleep(seconds)
    return await seen.count() - before


def visit(phase: str) -> MoodChanged:
    return MoodChanged(
        phase=phase,  # type: ignore[arg-type]
        reason="change",
        camera_id="camera-1",
        mood=Mood.HAPPY,
        before=Mood.NOBODY,
        confidence=0.9,
        probabilities=None,
        valence=0.5,
        arousal=0.5,
        faces=1,
        since=utc_now(),
        expires_at=expiry(MoodChanged),
        session_id=new_id(),
        model="test",
    )


@pytest.mark.parametrize(("why", "code"), [("closed", "closed"), ("for no reason", "resting"), (None, "resting")])
async def test_a_camera_says_why_it_rests(redis_url: str, why: str | None, code: str) -> None:
    async with watched(redis_url, "pattern:") as seen:
        await seen.until("online", "drawn")
        body: dict[str, JsonValue] = {"camera_id": "camera-1", "seconds": 30, "reason": why}
        assert (await ask(seen.bus, "camera.pause", body, timeout_s=5)).error is None
        await seen.until("offline", code)
        told: Any = (await ask(seen.bus, "camera.status", {"camera_id": "camera-1"}, timeout_s=5)).result
    assert (told["state"], told["code"]) == ("offline", code)


async def test_a_service_that_ends_says_so(redis_url: str) -> None:
    async with watched(redis_url, "pattern:") as seen:
        await seen.until("online")
    with Redis.from_url(redis_url) as client:
        last = StatusChanged.model_validate_json(client.xrevrange("mood:status", count=1)[0][1][b"__data__"])
    assert (last.state, last.code) == ("offline", "stopped")


def test_the_process_ends_in_order_and_leaves_none_behind(redis_url: str) -> None:
    """As a container is stopped: SIGTERM, exit 0, the last status, no capture process; metrics until then."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
    environment |= {"MOODSTREAM_REDIS_URL": redis_url, "MOODSTREAM_CAMERA": "pattern:", "MOODSTREAM_LOG_LEVEL": "INFO"}
    command = [sys.executable, "-m", "services.camera.main"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        page = next(word for line in process.stderr for word in line.split() if word.startswith("http://"))
        with Redis.from_url(redis_url) as client:
            deadline = time.monotonic() + 20
            while not client.exists("mood:frames"):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            [capture] = children(process.pid)
            time.sleep(0.3)
            with urllib.request.urlopen(f"{page}/metrics", timeout=5) as answer:
                text = answer.read().decode()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
            last = StatusChanged.model_validate_json(client.xrevrange("mood:status", count=1)[0][1][b"__data__"])
        process.stderr.read()
    assert (last.state, last.code) == ("offline", "stopped")
    assert not Path(f"/proc/{capture}").exists()
    assert 'moodstream_camera_state{camera="camera-1",state="online"} 1.0' in text
    assert "moodstream_camera_latency_seconds_bucket" in text
    assert 'frames_published_total{camera="camera-1"}' in text


def test_a_capture_process_ends_with_its_parent(redis_url: str) -> None:
    environment = os.environ | {"MOODSTREAM_REDIS_URL": redis_url, "MOODSTREAM_CAMERA": "pattern:"}
    command = [sys.executable, "-m", "services.camera.main"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while not children(process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        [capture] = children(process.pid)
        process.kill()
        process.wait()
        while Path(f"/proc/{capture}/cmdline").exists() and Path(f"/proc/{capture}/cmdline").read_bytes():
            assert time.monotonic() < deadline + 5
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("address", "words"),
    [("no/such/file.mp4", "no such camera or file"), ("README.md", "not a video"), ("docs", "no pict")],
)
async def test_wrong_cameras_end_the_start(redis_url: str, address: str, words: str) -> None:
    settings = load(CameraSettings, redis_url=redis_url, camera=address)
    with pytest.raises(MoodstreamError, match=words):
        create_service(settings, create_bus(settings))


async def test_while_redis_is_away_the_camera_is_watched_on(redis_url: str) -> None:
    """Neither frames nor statuses wait for each other: what happens meanwhile is told when Redis is back."""
    server = MjpegServer()
    try:
        async with watched(redis_url, server.address) as seen:
            await seen.until("online")
            [camera] = seen.publisher.cameras.values()
            await seen.bus.redis.client_pause(6000)
            begun_s = time.monotonic()
            while camera.status()["state"] != "degraded":
                await asyncio.sleep(0.05)
                assert time.monotonic() - begun_s < 3
            server.set("black")
            while camera.status()["state"] != "offline":
                await asyncio.sleep(0.05)
                assert time.monotonic() - begun_s < 5.5
            server.set("good")
            async with asyncio.timeout(20):
                while (told := await seen.statuses())[-1:] != [("online", "live")] or len(told) < 4:
                    await asyncio.sleep(0.1)
            assert told[:3] == [("online", "live"), ("degraded", "frames_refused"), ("offline", "black")]
    finally:
        server.end()


async def test_with_the_browsers_camera_alone_nothing_is_captured_here(redis_url: str) -> None:
    ended = asyncio.Event()
    async with watched(redis_url, "browser", once=True, ended=ended.set) as seen:
        await asyncio.sleep(1)
        assert seen.publisher.cameras == {}
        assert await seen.count() == 0
        assert await seen.statuses() == []
    assert not ended.is_set()
    create_service(load(CameraSettings, redis_url=redis_url, camera="browser"), seen.bus)  # it is no missing file


def test_a_camera_of_the_command_wins_over_a_list_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('MOODSTREAM_CAMERAS=[{"id": "hall", "address": "pattern:"}]\n')
    command = [sys.executable, "-m", "services", "run", "--camera", "/nowhere/party.mp4"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "party.mp4" in ended.stderr
