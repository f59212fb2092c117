"""Services that are told of Sentinels go on when the server that leads dies, hangs or is stopped."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from faststream.redis import RedisRouter

from moodstream import sentinel
from moodstream.client import events
from moodstream.contracts.events import FrameCaptured, StatusChanged, utc_now
from moodstream.errors import MoodstreamError
from services.cli.redis_client import connected
from shared.app.service import FRESH_S, Service, build_app, create_bus
from shared.bus.lease import Lease
from shared.bus.replicas import TIMEOUT_MS, Replicas
from shared.delivery.consume import consume, consume_captures
from shared.settings import Settings, load
from tests.support.made_events import status
from tests.support.redis_servers import MASTER, PASSWORD, SENTINEL_PASSWORD, Trio, trio


@pytest.fixture(scope="module")
def servers() -> Iterator[Trio]:
    with trio() as started:
        yield started


def test_an_address_is_taken_apart() -> None:
    address = sentinel.parse(
        "rediss+sentinel://user:p%40ss@one,two:26380,[::1]:7/site/3?ssl_ca_certs=/ca.pem&sentinel_password=s"
    )
    assert address.sentinels == (("one", 26379), ("two", 26380), ("::1", 7))
    assert (address.master, address.tls, address.login) == ("site", True, {"password": "s"})
    options = sentinel.broker_options("redis+sentinel://user:p%40ss@one/site?sentinel_username=watcher")
    assert options["url"] == "redis://user:p%40ss@sentinel/0"
    assert options["sentinel_kwargs"]["username"] == "watcher"
    assert sentinel.broker_options("rediss+sentinel://one/site?ssl_ca_certs=/ca.pem")["sentinel_kwargs"]["ssl"] is True


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://user:secret@one,two",
        "redis+sentinel://user:secret@one,two/site/first",
        "redis+sentinel://user:secret@one,,two/site/0",
        "redis+sentinel://user:secret@one:many/site/0",
        "redis+sentinel://user:secret@one,two..three/site/0",
    ],
)
def test_an_address_that_cannot_be_right_is_told_without_its_password(url: str) -> None:
    with pytest.raises(MoodstreamError, match="redis\\+sentinel://USER:PASSWORD@HOST1") as told:
        create_bus(load(Settings, redis_url=url))
    assert "secret" not in str(told.value)


def test_passwords_stand_in_no_log_line(servers: Trio) -> None:
    [shown] = create_bus(load(Settings, redis_url=servers.url)).servers.addresses
    assert PASSWORD not in shown
    assert SENTINEL_PASSWORD not in shown


def test_wrong_passwords_and_names_are_told(servers: Trio) -> None:
    for wrong, says in (
        (servers.url.replace(PASSWORD, "wrong"), "invalid username-password pair"),
        (servers.url.replace(SENTINEL_PASSWORD, "wrong"), "want another password"),
        (servers.url.replace(f"/{MASTER}/", "/other/"), "know of no server that leads 'other'"),
        (
            f"redis+sentinel://127.0.0.1:9,127.0.0.1:19/{MASTER}/0",
            "none of the Sentinels at 127.0.0.1:9, 127.0.0.1:19 ",
        ),
    ):
        with pytest.raises(MoodstreamError, match=says) as told, connected(wrong):
            pass
        assert "<" not in str(told.value)


HARMS = ("kill", "hang", "shut down")


async def test_nothing_is_lost_when_the_leader_dies_hangs_or_is_stopped(servers: Trio) -> None:
    bus = create_bus(load(Settings, redis_url=servers.url, prefix="failover:"))
    router = RedisRouter()
    handled, frames = Counter[str](), Counter[int]()
    followed: list[str] = []
    heard: list[str] = []

    @consume(router, bus, StatusChanged, "test")
    async def take(one: StatusChanged) -> None:
        if one.reason.isdigit():  # the process itself tells that it is degraded, too
            handled[one.reason] += 1

    @consume_captures(router, bus, FrameCaptured, "test")
    async def take_frame(one: FrameCaptured) -> None:
        frames[one.seq] += 1

    async def follow() -> None:
        async for entry in bus.follow({StatusChanged: "0-0"}):
            if entry and isinstance(entry[1], StatusChanged) and entry[1].reason.isdigit():
                followed.append(entry[1].reason)

    async def listen() -> None:
        async for event in events(servers.url, types=["StatusChanged"], prefix="failover:"):
            assert isinstance(event, StatusChanged)
            if event.reason.isdigit():
                heard.append(event.reason)

    published = 0
    pause = asyncio.Event()

    async def publish() -> None:
        nonlocal published
        while not pause.is_set():
            await bus.publish(status(published))
            await bus.publish_frame(
                FrameCaptured(camera_id="c", run_id="r", seq=published, captured_at=utc_now(), jpeg=b"\xff\xd8\xff")
            )
            published += 1
            await asyncio.sleep(0.02)

    lease = Lease(bus, "one")
    app = build_app(bus, Service("test", router))
    async with (
        app.web.router.lifespan_context(app.web),
        httpx.AsyncClient(transport=httpx.ASGITransport(app.web), base_url="http://test") as web,
        asyncio.timeout(170),
    ):
        await app.ready.wait()
        jobs = [asyncio.create_task(job()) for job in (follow, listen)]
        await asyncio.sleep(0.5)
        publishing = asyncio.create_task(publish())
        for harm in HARMS:
            assert await lease.ask()
            before, old = published, servers.leader()
            await asyncio.to_thread(
                {"kill": servers.kill, "hang": servers.hang, "shut down": servers.shut_down}[harm], old
            )
            await asyncio.sleep(FRESH_S)  # no older answer is given again
            assert (await web.get("/health/ready")).status_code == 503
            await asyncio.to_thread(servers.wait_for_another, old)
            while published < before + 20 or not frames[published - 1]:
                await asyncio.sleep(0.05)
            while (await web.get("/health/ready")).status_code != 200:  # a fault stands for up to ten seconds
                await asyncio.sleep(0.2)
            assert "moodstream_redis_up 1.0" in (await web.get("/metrics")).text
            if harm == "hang":
                servers.go_on(old)
            else:
                servers.start_again(old)
            await asyncio.to_thread(servers.wait_until_whole)
        pause.set()
        await publishing
        while len(handled) < published or len(set(followed)) < published or len(set(heard)) < published:
            await asyncio.sleep(0.05)
        for job in jobs:
            job.cancel()
        bus.stopping.set()
    assert sorted(handled, key=int) == [str(number) for number in range(published)]
    again = handled.total() - published
    assert again <= len(HARMS), "more handled twice than were in hand when a leader went: one each time"
    assert followed == heard == sorted(handled, key=int), "told twice, or in another order"


async def test_an_event_is_not_kept_waiting_for_replicas_that_are_not_there(caplog: pytest.LogCaptureFixture) -> None:
    replicas = Replicas(sentinel.is_deposed)
    caplog.set_level(logging.WARNING)
    with trio() as lonely:
        for port in lonely.servers[1:]:
            lonely.server(lonely.leader()).config_set("min-replicas-to-write", 0)
            lonely.kill(port)
        bus = create_bus(load(Settings, redis_url=lonely.url))
        await bus.connect()
        started_s = time.monotonic()
        for number in range(5):
            async with bus.redis.pipeline(transaction=False) as both:
                both.xadd("mood:status", {"__data__": status(number).model_dump_json()})
                await replicas.confirm(both)
        assert TIMEOUT_MS / 1000 <= time.monotonic() - started_s < 2 * TIMEOUT_MS / 1000 + 2
        assert await bus.redis.xlen("mood:status") == 5
        await bus.close()
    assert [record.message for record in caplog.records] == [
        "no replica confirmed the last event within 1000 ms; it is on one server only"
    ]
