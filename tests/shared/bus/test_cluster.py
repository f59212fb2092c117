"""A site on a Redis Cluster: one slot, whose node may die."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from faststream.redis import RedisRouter
from redis import Redis

from moodstream import cluster
from moodstream.client import events
from moodstream.contracts.events import SongsOffered, SongsRanked, StatusChanged
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.bridge.webhooks.outbox import Letter, Outbox
from services.cli.redis_client import connected
from shared.app.service import Service, build_app, create_bus
from shared.bus.lease import Lease
from shared.contracts.access import acl_file
from shared.delivery import dead_letters
from shared.delivery.consume import consume
from shared.settings import Settings, load
from tests.support.made_events import status
from tests.support.random_songs import saved
from tests.support.recommenders import picked, recommender
from tests.support.redis_cluster import PASSWORD, Cluster
from tests.support.redis_cluster import cluster as started_cluster
from tests.support.redis_servers import single

PREFIX = "{north}:"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with started_cluster(PREFIX) as started:
        yield started


def test_an_address_is_taken_apart() -> None:
    url = cluster.with_prefix("rediss+cluster://user:p%40ss@one,two:7000,[::1]:7?ssl_ca_certs=/ca.pem", "{a}:")
    address = cluster.parse(url)
    assert address.nodes == (("one", 6379), ("two", 7000), ("::1", 7))
    assert address.options == {"username": "user", "password": "p@ss", "ssl_ca_certs": "/ca.pem"}
    assert address.tls
    assert address.slot == cluster.parse(cluster.with_prefix("redis+cluster://one", "x{a}y")).slot
    assert cluster.with_prefix("redis://one", "mood:") == "redis://one"


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://user:secret@one,two/3",
        "redis+cluster://user:secret@one,,two",
        "redis+cluster://user:secret@one:many",
        "redis+cluster://user:secret@one,two..three",
    ],
)
def test_an_address_that_cannot_be_right_is_told_without_its_password(url: str) -> None:
    with pytest.raises(MoodstreamError, match=r"redis\+cluster://USER:PASSWORD@HOST1") as told:
        create_bus(load(Settings, redis_url=url, prefix=PREFIX))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("prefix", ["mood:", "{}:", "{mood:", "mood}:"])
def test_a_prefix_without_a_hash_tag_is_one_clear_line(prefix: str) -> None:
    with pytest.raises(
        MoodstreamError, match=r"MOODSTREAM_PREFIX=.*on a cluster it needs a hash tag, as in \{mood\}:|site"
    ):
        create_bus(load(Settings, redis_url="redis+cluster://one,two", prefix=prefix))


async def test_a_server_that_is_in_no_cluster_is_one_clear_line() -> None:
    with single() as client:
        port = client.connection_pool.connection_kwargs["port"]
        bus = create_bus(load(Settings, redis_url=f"redis+cluster://127.0.0.1:{port}", prefix=PREFIX))
        await bus.connect()
        with pytest.raises(
            MoodstreamError, match=f"127.0.0.1:{port} is in no cluster; its address begins with redis://"
        ):
            await bus.servers.check_kind()
        await bus.close()


def test_commands_reach_the_node_of_the_site_and_are_told_a_wrong_password(nodes: Cluster) -> None:
    for prefix in ("{north}:", "{south}:", "{east}:", "{west}:"):
        with connected(cluster.with_prefix(nodes.url, prefix)) as client:
            assert client.set(f"{prefix}one", 1)
        held = [key for port in nodes.ports[:3] for key in nodes.ask(port, "KEYS", "*")]
        assert held.count(f"{prefix}one") == 1
    wrong = cluster.with_prefix(nodes.url.replace(PASSWORD, "wrong"), PREFIX)
    with pytest.raises(MoodstreamError, match="invalid username-password pair") as told, connected(wrong):
        pass
    assert "wrong" not in str(told.value)


async def test_nothing_is_lost_when_the_node_of_a_site_dies(nodes: Cluster) -> None:
    bus = create_bus(load(Settings, redis_url=nodes.url, prefix=PREFIX))
    router, handled = RedisRouter(), Counter[str]()
    followed: list[str] = []
    heard: list[str] = []

    @consume(router, bus, StatusChanged, "test")
    async def take(one: StatusChanged) -> None:
        if one.reason.isdigit():  # the process itself tells that it is degraded, too
            handled[one.reason] += 1

    async def follow() -> None:
        async for entry in bus.follow({StatusChanged: "0-0"}):
            if entry and isinstance(entry[1], StatusChanged) and entry[1].reason.isdigit():
                followed.append(entry[1].reason)

    async def listen() -> None:
        async for event in events(nodes.url, types=["StatusChanged"], prefix=PREFIX):
            assert isinstance(event, StatusChanged)
            if event.reason.isdigit():
                heard.append(event.reason)

    lease, published = Lease(bus, "one"), 0
    app = build_app(bus, Service("test", router))
    async with app.web.router.lifespan_context(app.web), asyncio.timeout(110):
        await app.ready.wait()
        jobs = [asyncio.create_task(job()) for job in (follow, listen)]
        await asyncio.sleep(0.5)
        await bus.redis.xadd(bus.stream(StatusChanged), {"__data__": b"no event"})
        old = nodes.leader()
        while published < 300:
            if published == 100:
                while not await lease.ask():
                    await asyncio.sleep(0.1)
                nodes.kill(old)
            await bus.publish(status(published))
            published += 1
        assert nodes.leader(old) != old
        while not await lease.ask():
            await asyncio.sleep(0.1)
        while len(handled) < published or len(set(followed)) < published or len(set(heard)) < published:
            await asyncio.sleep(0.05)
        letters = bus.stream(StatusChanged) + ":dead"
        while not await bus.redis.xlen(letters):
            await asyncio.sleep(0.05)
        for job in jobs:
            job.cancel()
        bus.stopping.set()
    assert sorted(handled, key=int) == [str(number) for number in range(published)]
    assert handled.total() - published <= 1, "handled twice: more than was in hand when the node died"
    assert followed == heard == sorted(handled, key=int), "told twice, or in another order"
    with connected(cluster.with_prefix(nodes.url, PREFIX)) as client:
        assert isinstance(client, Redis)
        [letter] = dead_letters.letters(client, PREFIX)
        assert dead_letters.replay(client, PREFIX, {letter["letter"]}) == 1
    nodes.start_node(old)
    await asyncio.to_thread(nodes.wait_until_whole)


async def test_a_site_with_the_least_rights_offers_ranks_and_remembers_there(nodes: Cluster, tmp_path: Path) -> None:
    rights = acl_file(PREFIX, "both", {"all": sha256(b"secret").hexdigest()}).splitlines()
    [line] = [one for one in rights if one.startswith("user all ")]
    for port in nodes.ports:
        nodes.ask(port, "ACL", "SETUSER", *_words(line.removeprefix("user ")))
    url = nodes.url.replace(f"://:{PASSWORD}@", "://all:secret@")
    async with recommender(url, saved(tmp_path), prefix=PREFIX) as site:
        await site.mood(Mood.HAPPY, phase="start")
        (offer,) = await site.all(SongsOffered)
        await site.publish_and_wait(picked(offer))
        await site.publish_and_wait(picked(offer, 1))
        first, second = await site.all(SongsRanked)
        assert len(first.ranking) == 10
        assert second.ranking[0].because, "the first pick is in the history of the visit"
    bus = create_bus(load(Settings, redis_url=url, prefix=PREFIX))
    await bus.connect()
    outbox = Outbox(bus, "shop")
    assert await outbox.put("one", "body") == 0
    taken = await outbox.take_next()
    assert isinstance(taken, Letter)
    await outbox.retry_later(taken, 9.0, unreachable=True)
    assert await outbox.retry_unreachable() == 1
    await bus.close()


def _words(line: str) -> list[str]:
    """The rules of a user; what stands in brackets is one."""
    return re.findall(r"\([^)]*\)|\S+", line)
