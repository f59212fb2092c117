"""Replaying the newest entries and following from there: nothing is missed or repeated, whatever happens in between."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moodstream.contracts.events import Event, FacesRead, MoodChanged, SongsOffered, StatusChanged
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.bus import follower
from shared.bus.projection import Entry, replay_and_follow
from shared.tasks import end_tasks
from tests.support.gateways import connected_bus
from tests.support.scenes import camera_online, faces_read, mood_changed, new_session, offered

COUNTS: dict[type[Event], int] = {StatusChanged: 5, MoodChanged: 3, SongsOffered: 3, FacesRead: 0}


async def take(entries: AsyncIterator[Entry | None], count: int) -> list[Entry]:
    found: list[Entry] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            if entry := await anext(entries):
                found.append(entry)
    return found


def mood(**fields: Any) -> MoodChanged:
    return mood_changed(Mood.HAPPY, new_session(), **fields)


async def test_the_newest_are_replayed_causes_first_and_what_comes_is_new(redis_url: str) -> None:
    calls: list[str] = []
    async with connected_bus(redis_url) as bus:
        moods = [mood() for _ in range(5)]
        offer, status = offered(moods[-1]), camera_online()
        for event in (faces_read(), *moods[:-1], moods[-1], offer, status):
            await bus.publish(event)
        await bus.redis.xadd(bus.stream(MoodChanged), {"__data__": b"rubbish"})
        entries = replay_and_follow(bus, COUNTS, on_replayed=lambda: calls.append("replayed"), block_ms=50)
        past = await take(entries, 4)
        assert [entry.event for entry in past] == [status, *moods[-2:], offer]
        assert all(entry.replayed for entry in past)
        assert calls == []
        assert await anext(entries) is None  # nothing has come
        assert calls == ["replayed"]
        later = mood()
        await bus.publish(later)
        (entry,) = await take(entries, 1)
        assert (entry.event, entry.replayed) == (later, False)
        assert calls == ["replayed"]


async def test_empty_streams_are_followed_from_their_beginning(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus:
        entries = replay_and_follow(bus, COUNTS, block_ms=50)
        assert await anext(entries) is None
        sent = [mood(), faces_read()]
        for event in sent:
            await bus.publish(event)
        assert {entry.event.id for entry in await take(entries, 2)} == {event.id for event in sent}


async def test_nothing_is_missed_or_repeated_while_others_write(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus, connected_bus(redis_url) as other:
        sent: list[str] = []

        async def write() -> None:
            while not enough:
                event = mood(camera_id=f"camera-{len(sent)}")
                sent.append(event.id)
                await other.publish(event)

        enough = False
        writing = asyncio.create_task(write())
        for _ in range(5):
            await asyncio.sleep(0.01)
            begun = len(sent)
            entries = replay_and_follow(bus, {MoodChanged: 10_000}, block_ms=50)
            found = [entry.event.id for entry in await take(entries, begun + 20)]
            assert found == sent[: len(found)]
        enough = True
        await writing


async def test_it_waits_for_redis_and_then_begins(tmp_path: Path) -> None:
    place = tmp_path / "redis.sock"
    async with connected_bus(f"unix://{place}") as bus:
        entries = replay_and_follow(bus, COUNTS, block_ms=50)
        assert await anext(entries) is None
        assert bus.outage.reason is not None
        with embedded_redis() as url:
            place.symlink_to(url.removeprefix("unix://"))
            async with connected_bus(url) as other:
                first = mood()
                await other.publish(first)
                (entry,) = await take(entries, 1)
                assert (entry.event, entry.replayed) == (first, True)
                assert bus.outage.reason is None


async def test_it_ends_with_the_process_also_without_redis() -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        async with connected_bus(f"redis://127.0.0.1:{taken.getsockname()[1]}/0") as bus:
            entries = replay_and_follow(bus, COUNTS)
            assert await anext(entries) is None
            bus.stopping.set()
            async with asyncio.timeout(10):
                assert [entry async for entry in entries] == []


async def test_a_redis_that_comes_back_empty_with_an_earlier_clock_is_heard(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ids begin before those that were seen; what only lies in the past of a moment is not read again."""
    monkeypatch.setattr(follower, "ANEW_EVERY_S", 0.05)
    async with connected_bus(redis_url) as bus:
        stream = bus.stream(MoodChanged)
        events = [mood_changed(Mood.CALM, new_session()) for _ in range(4)]

        async def add(event: MoodChanged, entry_id: str) -> None:
            await bus.redis.xadd(stream, {"__data__": event.model_dump_json()}, id=entry_id)

        await add(events[0], "5000-0")
        heard: list[str] = []
        later: list[str] = []

        async def follow(start: str, into: list[str]) -> None:
            async for entry in bus.follow({MoodChanged: start}, block_ms=50):
                if entry is not None:
                    into.append(entry[1].id)

        tasks = [asyncio.create_task(follow("5000-0", heard)), asyncio.create_task(follow("6000-0", later))]
        await add(events[1], "5001-0")
        async with asyncio.timeout(5):
            while len(heard) < 1:
                await asyncio.sleep(0.02)
        await bus.redis.delete(stream)
        await add(events[2], "7-0")
        await add(events[3], "7-1")
        async with asyncio.timeout(5):
            while len(heard) < 3:
                await asyncio.sleep(0.02)
        await end_tasks(*tasks)
    assert heard == [event.id for event in events[1:]]
    assert later == []
