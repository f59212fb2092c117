"""A process: health, readiness, the watchdog, good and bad ends. Real processes, as a person starts them."""

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from faststream.redis import RedisRouter
from prometheus_client import CollectorRegistry, Counter

from moodstream.contracts.events import SongPicked, SongsOffered
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import embedded_redis
from shared.app.service import Service, build_app, create_bus
from shared.delivery.consume import consume
from shared.settings import Settings, load
from tests.support.ports import free_port

SERVICE = """
import asyncio, sys, time
from faststream.redis import RedisRouter
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.delivery.consume import consume
from moodstream.errors import MoodstreamError
from moodstream.contracts.events import SongPicked
from shared.settings import Settings, load

def create():
    settings = load(Settings)
    bus = create_bus(settings)
    router = RedisRouter()

    @consume(router, bus, SongPicked, "test")
    async def take(event: SongPicked) -> None:
        if event.song_id == "hang":
            time.sleep(60)
        print("took", event.song_id, flush=True)

    async def job():
        how = "@HOW@"
        if how == "refuse":
            raise MoodstreamError("the input is broken")
        if how == "crash":
            raise RuntimeError("unforeseen")
        if how == "stone deaf":
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    print("heard nothing", flush=True)
        if how == "deaf":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                print("heard nothing", flush=True)
        await asyncio.Event().wait()

    return settings, bus, Service("test", router, background=[job])

sys.exit(run_service(create))
"""


@contextmanager
def process(redis_url: str, port: int, how: str = "") -> Iterator["subprocess.Popen[str]"]:
    environment = os.environ | {"MOODSTREAM_REDIS_URL": redis_url, "MOODSTREAM_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE.replace("@HOW@", how)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def health(port: int, what: str) -> int | None:
    """Status code of a health check, None while nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/{what}", timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


def wait_for(port: int, what: str, status: int | None, timeout_s: float = 15.0) -> float:
    start = time.monotonic()
    while time.monotonic() - start < timeout_s:
        if health(port, what) == status:
            return time.monotonic() - start
        time.sleep(0.05)
    raise AssertionError(f"{what} is {health(port, what)}, not {status}")


def put(url: str, song_id: str) -> None:
    event = {"offer_id": "o", "song_id": song_id, "mood": "sad", "by": "auto", "expires_at": "2999-01-01T00:00:00Z"}
    with connected(url) as client:
        client.xadd("mood:picks", {"__data__": json.dumps(event)})


def test_ready_once_redis_is_there_and_gone_in_good_order(tmp_path: Path) -> None:
    """Redis down at start: alive but not ready, no crash; it comes up on the same socket, and work goes on."""
    sock, port = tmp_path / "redis.sock", free_port()
    with process(f"unix://{sock}", port) as child:
        wait_for(port, "live", 200)
        assert health(port, "ready") == 503
        with embedded_redis() as url:
            sock.symlink_to(url.removeprefix("unix://"))
            wait_for(port, "ready", 200)
            put(url, "first")
            assert child.stdout is not None
            assert child.stdout.readline() == "took first\n"
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=10) == 0
        assert child.stderr is not None
        log = child.stderr.read()
    assert "waiting for Redis" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("fault", ["flush", "group"])
def test_a_lost_group_ends_the_process_with_70(redis_url: str, fault: str) -> None:
    port = free_port()
    with process(redis_url, port) as child:
        wait_for(port, "ready", 200)
        with connected(redis_url) as client:
            client.flushall() if fault == "flush" else client.xgroup_destroy("mood:picks", "test")
        assert child.wait(timeout=6) == 70


def test_a_restart_after_a_lost_group_consumes_the_backlog(redis_url: str) -> None:
    port = free_port()
    with process(redis_url, port) as child:
        wait_for(port, "ready", 200)
        with connected(redis_url) as client:
            client.flushall()
        put(redis_url, "meanwhile")
        assert child.wait(timeout=6) == 70
    with process(redis_url, port) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "took meanwhile\n"


def test_a_stuck_loop_ends_the_process_with_70_within_ten_seconds(redis_url: str) -> None:
    port = free_port()
    with process(redis_url, port) as child:
        wait_for(port, "ready", 200)
        put(redis_url, "hang")
        start = time.monotonic()
        assert child.wait(timeout=12) == 70
        assert time.monotonic() - start <= 10


@pytest.mark.parametrize(("how", "code"), [("refuse", 1), ("crash", 70)])
def test_a_failing_job_ends_the_process(redis_url: str, how: str, code: int) -> None:
    with process(redis_url, free_port(), how) as child:
        assert child.wait(timeout=15) == code
        assert child.stderr is not None
        log = child.stderr.read()
    if how == "refuse":
        assert [line for line in log.splitlines() if not line.startswith("20")] == ["moodstream: the input is broken"]


def test_a_job_that_loses_its_cancellation_does_not_keep_the_process(redis_url: str) -> None:
    port = free_port()
    with process(redis_url, port, "deaf") as child:
        wait_for(port, "ready", 200)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=10) == 0


def test_a_job_that_never_ends_is_left_behind_within_ten_seconds(redis_url: str) -> None:
    port = free_port()
    with process(redis_url, port, "stone deaf") as child:
        wait_for(port, "ready", 200)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=11) == 1  # not 70: it was asked to end, and shall not be started anew
        assert child.stderr is not None
        assert "shutdown timed out waiting for: create.<locals>.job; exiting" in child.stderr.read()


def test_a_busy_port_is_one_line_and_1(redis_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with process(redis_url, port) as child:
            assert child.wait(timeout=15) == 1
            assert child.stderr is not None
            [line] = child.stderr.read().splitlines()
    assert f"127.0.0.1:{port}" in line


def test_a_wrong_setting_is_one_line_and_1(redis_url: str) -> None:
    with process(redis_url, 99999) as child:
        assert child.wait(timeout=15) == 1
        assert child.stderr is not None
        [line] = child.stderr.read().splitlines()
    assert line.startswith("moodstream: MOODSTREAM_PORT:")


async def test_a_start_that_fails_leaves_no_task_unheard(redis_url: str) -> None:
    """Python would print a traceback of each, long after, wherever it happens to collect them."""
    bus, router, unheard = create_bus(load(Settings, redis_url=redis_url)), RedisRouter(), list[dict[str, Any]]()
    taken = asyncio.Event()

    @consume(router, bus, SongPicked, "one")
    async def take(event: SongPicked) -> None:
        taken.set()

    @consume(router, bus, SongsOffered, "two")
    async def take_offer(event: SongsOffered) -> None: ...

    app = build_app(bus, Service("test", router))
    first, *_, last = (subscriber for broker in bus.brokers for subscriber in broker.subscribers)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    starts = last.start

    async def fail_once() -> None:
        last.start = starts  # type: ignore[method-assign]
        first.tasks.append(asyncio.create_task(refuse()))  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        raise ConnectionError("Redis is away")

    async def refuse() -> None:
        raise ConnectionError("Redis is away")

    last.start = fail_once  # type: ignore[method-assign]
    await bus.connect()
    running = asyncio.create_task(app._run())
    put(redis_url, "a song")
    async with asyncio.timeout(20):
        await taken.wait()
    bus.stopping.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await bus.close()
    gc.collect()
    await asyncio.sleep(0.1)
    assert unheard == []


async def test_metrics_of_all_services_of_a_process_stand_side_by_side(redis_url: str) -> None:
    registries = CollectorRegistry(), CollectorRegistry()
    for name, registry in zip(("first", "second"), registries, strict=True):
        Counter(name, "A count", registry=registry).inc()
    bus = create_bus(load(Settings, redis_url=redis_url))
    app = build_app(bus, *(Service("one", metrics=registry) for registry in registries), Service("none"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.web), base_url="http://test") as client:
        text = (await client.get("/metrics")).text
    assert "first_total 1.0" in text
    assert "second_total 1.0" in text
