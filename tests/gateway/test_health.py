"""Who is there, and who is not: by signs of life, on Redis 7.0 as on Valkey, whatever anybody does with a clock."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from moodstream.contracts.requests import AskCamera
from services.gateway.health import HealthReader
from services.gateway.state.heartbeats import Heartbeats
from shared.app.heartbeat import Heartbeat
from shared.app.service import create_bus
from shared.bus.connection import Bus
from shared.bus.heartbeats import read_heartbeats, write_heartbeat
from shared.settings import Settings, load
from tests.support.gateways import connected_bus
from tests.support.redis_servers import single
from tests.support.secured_services import services

ALIVE_S = 4.0
"""Longer than a read of a stream may wait, so that on most servers nobody seems to be idle for as long."""
LATE_S = 3.0
"""A busy machine is late."""


@pytest.fixture(params=["redis", "valkey"])
def server(request: pytest.FixtureRequest, redis_url: str) -> Iterator[tuple[str, str]]:
    if request.param == "valkey":
        yield request.param, redis_url
        return
    with single() as client:
        yield request.param, f"redis://127.0.0.1:{client.connection_pool.connection_kwargs['port']}"


async def idle_s(bus: Bus) -> float:
    """How long the camera has read nothing, as the server sees it."""
    known = await bus.redis.xinfo_consumers("mood:requests", "camera-camera-1")
    return float(min(one["idle"] for one in known)) / 1000


async def until(holds: Any, within_s: float = 60.0) -> float:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    while not await holds():
        assert loop.time() - begun_s < within_s, "not in time"
        await asyncio.sleep(0.1)
    return loop.time() - begun_s


async def test_a_service_that_has_nothing_to_do_is_online_and_one_that_was_killed_is_not(
    server: tuple[str, str], tmp_path: Path
) -> None:
    """The camera, which is asked by a group, and the player, which has none."""
    kind, url = server
    with services(tmp_path) as running:
        for name in ("camera", "player"):
            running.start(name, redis_url=url, player="log", camera="browser")
        running.wait_until_ready()
        async with connected_bus(url) as bus:
            reader = HealthReader(bus, ALIVE_S)

            async def states() -> tuple[str, str]:
                health = await reader.read_health()
                assert health.redis
                return health.state("camera"), health.state("player")

            # Redis 7.0 knows no consumer before its first entry
            await bus.publish(AskCamera(camera_id="another").made())
            assert await states() == ("online", "online")
            for _ in range(int(2 * ALIVE_S)):
                await asyncio.sleep(1)
                assert await states() == ("online", "online")
            if kind == "redis":
                assert await idle_s(bus) > ALIVE_S, "this server does not have the fault that the test is about"
            health = await reader.read_health()
            assert (health.workers["camera"], health.workers["player"]) == (1, 1)
            assert max(health.seen_s["camera"], health.seen_s["player"]) < ALIVE_S

            async def gone() -> bool:
                return await states() == ("offline", "offline")

            for name in ("camera", "player"):
                running.kill(name)
            assert await until(gone) < ALIVE_S + LATE_S
            assert (await reader.read_health()).seen_s["camera"] >= ALIVE_S - 1


async def test_one_that_was_never_there_is_off_and_one_that_hangs_is_offline(
    server: tuple[str, str], tmp_path: Path
) -> None:
    _, url = server
    with services(tmp_path) as running:
        async with connected_bus(url) as bus:
            reader = HealthReader(bus, ALIVE_S)

            async def state() -> str:
                return (await reader.read_health()).state("bridge")

            async def is_online() -> bool:
                return await state() == "online"

            async def is_offline() -> bool:
                return await state() == "offline"

            assert await state() == "off"
            assert (await reader.read_health()).state("camera") == "offline", "no site is without one"
            running.start("bridge", redis_url=url)
            running.wait_until_ready()
            await until(is_online, LATE_S)
            running.send("bridge", signal.SIGSTOP)
            assert await until(is_offline) < ALIVE_S + LATE_S
            running.send("bridge", signal.SIGCONT)
            await until(is_online, 2 * LATE_S)


async def test_processes_of_a_service_are_counted(redis_url: str) -> None:
    async with connected_bus(redis_url) as one, connected_bus(redis_url) as other:
        other.consumer = "elsewhere-1"
        await write_heartbeat(one, ["emotion", "camera"])
        await write_heartbeat(other, ["emotion"])
        clock_s, seen = await read_heartbeats(one, ["camera", "emotion", "player"])
        assert {name: set(times) for name, times in seen.items()} == {
            "camera": {one.consumer},
            "emotion": {one.consumer, "elsewhere-1"},
        }
        assert all(0 <= clock_s - at_s < 5 for times in seen.values() for at_s in times.values())
        health = await HealthReader(one).read_health()
        assert (health.workers["emotion"], health.workers["camera"]) == (2, 1)


async def test_those_that_were_gone_for_a_minute_are_forgotten_and_the_last_one_is_not(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus:
        now_s, _ = await read_heartbeats(bus, ())
        long_ago, from_tomorrow = {"dead-1": now_s - 70}, {"ahead-1": now_s + 86_400}
        await bus.redis.zadd("mood:alive:bridge", long_ago | from_tomorrow)
        await bus.redis.zadd("mood:alive:camera", long_ago)
        await write_heartbeat(bus, ["bridge"])
        _, seen = await read_heartbeats(bus, ["bridge", "camera"])
        assert set(seen["bridge"]) == {bus.consumer}
        assert set(seen["camera"]) == {"dead-1"}
        health = await HealthReader(bus).read_health()
        assert (health.state("camera"), health.workers.get("camera")) == ("offline", None)
        assert health.seen_s["camera"] >= 70
        assert await bus.redis.ttl("mood:alive:bridge") > 86_400


async def test_who_misses_the_server_of_the_frames_lives(redis_url: str) -> None:
    bus = create_bus(load(Settings, redis_url=redis_url, frames_redis_url="redis://127.0.0.1:1"))
    await bus.connect()
    job = asyncio.create_task(Heartbeat(bus, ["camera"]).run())
    async with connected_bus(redis_url) as gateway:
        async with asyncio.timeout(20):
            while bus.outage.reason is None or (await HealthReader(gateway).read_health()).state("camera") != "online":
                await asyncio.sleep(0.1)
    job.cancel()
    await asyncio.wait({job})
    await bus.close()


async def test_a_process_may_lack_the_right_to_say_so(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """An ACL file of an older version: its work goes on, and the log says what to do, once."""
    with Redis.from_url(redis_url) as admin:
        async with connected_bus(redis_url) as bus:
            await bus.ping()
            admin.execute_command("ACL", "SETUSER", "default", "-zadd")
            job = asyncio.create_task(Heartbeat(bus, ["camera"]).run())
            await asyncio.sleep(2.5)
            job.cancel()
            assert bus.outage.reason is None
    assert caplog.text.count("create the ACL file again") == 1


CLOCK = 1_800_000_000.0
HOURS = 3600.0


def test_a_clock_that_is_set_makes_nobody_gone_who_lives() -> None:
    """Two hours ahead, four back: until its next sign of life, a second later, a process is believed."""
    heartbeats, clock_s, now_s = Heartbeats(), CLOCK, 100.0
    assert heartbeats.count_alive({"camera": {"a": clock_s}}, clock_s, now_s) == {"camera": 1}
    for step_s in (2 * HOURS, -4 * HOURS, 2 * HOURS):
        said_s, clock_s = clock_s, clock_s + step_s
        assert heartbeats.count_alive({"camera": {"a": said_s}}, clock_s, now_s + 0.5) == {"camera": 1}
        # one that was said just before the clock was set, and is seen after it
        assert heartbeats.count_alive({"camera": {"a": said_s + 0.7}}, clock_s + 0.8, now_s + 0.8) == {"camera": 1}
        now_s, clock_s = now_s + 1, clock_s + 1
        assert heartbeats.count_alive({"camera": {"a": clock_s}}, clock_s, now_s) == {"camera": 1}


@pytest.mark.parametrize("step_s", [0.0, 2 * HOURS, -4 * HOURS, -9.0])
def test_a_clock_that_is_set_brings_nobody_back_who_is_gone(step_s: float) -> None:
    heartbeats = Heartbeats()
    gone = {"camera": {"a": CLOCK}}
    assert heartbeats.count_alive(gone, CLOCK + 1, 101.0) == {"camera": 1}
    assert heartbeats.count_alive(gone, CLOCK + step_s + 9.9, 109.9) == {"camera": 1}
    for later_s in (10.0, 15.0, 4 * HOURS):
        assert not heartbeats.count_alive(gone, CLOCK + step_s + later_s, 100.0 + later_s)


def test_a_gateway_that_comes_later_believes_no_old_sign_and_none_from_the_future() -> None:
    for at_s in (CLOCK - 10, CLOCK - 2 * HOURS, CLOCK + 4 * HOURS):
        assert not Heartbeats().count_alive({"camera": {"a": at_s}}, CLOCK, 100.0)
    assert Heartbeats().count_alive({"camera": {"a": CLOCK - 9}}, CLOCK, 100.0) == {"camera": 1}


def test_a_redis_that_has_started_empty_makes_nobody_gone_at_once() -> None:
    heartbeats = Heartbeats()
    heartbeats.count_alive({"camera": {"a": CLOCK, "b": CLOCK}}, CLOCK, 100.0)
    assert heartbeats.count_alive({}, CLOCK + 2, 102.0) == {"camera": 2}
    assert heartbeats.count_alive({"camera": {"a": CLOCK + 3}}, CLOCK + 3, 103.0) == {"camera": 2}
    assert heartbeats.count_alive({"camera": {"a": CLOCK + 10}}, CLOCK + 10, 110.0) == {"camera": 1}
