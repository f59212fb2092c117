"""Nothing lost, nothing stuck: the rules of delivery, on a real server."""

import asyncio
import json
from datetime import timedelta

import pytest
from faststream.redis import RedisRouter

from moodstream.contracts.events import (
    Event,
    FrameCaptured,
    MoodChanged,
    ReplyGiven,
    SongPicked,
    new_id,
    utc_now,
)
from services.cli.redis_client import connected
from shared.app.service import create_bus
from shared.bus.connection import Bus
from shared.delivery.consume import consume, consume_captures
from shared.delivery.dead_letters import letters, replay
from shared.settings import Settings, load
from tests.support.bus import running, until
from tests.support.made_events import QUICK, pick


async def put(url: str, *bodies: bytes) -> None:
    with connected(url) as client:
        for body in bodies:
            client.xadd("mood:picks", {"__data__": body})


async def test_a_group_that_starts_at_the_end_hears_only_what_is_new_and_expired_facts_if_it_wants(
    redis_url: str,
) -> None:
    before, after = pick(), pick(expires_at=utc_now() - timedelta(minutes=1))
    got = list[SongPicked]()
    await put(redis_url, before.model_dump_json().encode())

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "third-party", start="$", takes_expired=True)
        async def take(one: SongPicked) -> None:
            got.append(one)

    async with running(redis_url, register):
        await put(redis_url, after.model_dump_json().encode())
        await until(lambda: len(got) == 1)
    async with running(redis_url, register):  # a group that exists goes on where it was
        await put(redis_url, pick().model_dump_json().encode())
        await until(lambda: len(got) == 2)
    assert got[0].id == after.id


async def test_what_was_published_before_the_first_start_is_delivered(redis_url: str) -> None:
    event, got = pick(), list[SongPicked]()
    await put(redis_url, event.model_dump_json().encode())

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test")
        async def take(one: SongPicked) -> None:
            got.append(one)

    async with running(redis_url, register):
        await until(lambda: len(got) == 1)
    assert got == [event]


async def test_the_same_event_twice_is_done_once(redis_url: str) -> None:
    body, got = pick().model_dump_json().encode(), list[str]()
    other = pick(song_id="another")

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test")
        async def take(one: SongPicked) -> None:
            got.append(one.song_id)

    async with running(redis_url, register):
        await put(redis_url, body, body, other.model_dump_json().encode())
        await until(lambda: "another" in got)
    assert got == ["a song", "another"]


async def test_what_has_expired_asks_for_nothing(redis_url: str) -> None:
    old, new = pick(expires_at=utc_now() - timedelta(seconds=1)), pick(song_id="in time")
    got = list[str]()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test")
        async def take(one: SongPicked) -> None:
            got.append(one.song_id)

    async with running(redis_url, register) as bus:
        await bus.publish(old)
        await bus.publish(new)
        await until(lambda: bool(got))
        pending = await bus.redis.xpending("mood:picks", "test")
    assert got == ["in time"]
    assert pending["pending"] == 0


async def test_fields_of_a_later_version_are_ignored(redis_url: str) -> None:
    body, got = json.loads(pick().model_dump_json()) | {"colour": "green"}, list[SongPicked]()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test")
        async def take(one: SongPicked) -> None:
            got.append(one)

    async with running(redis_url, register):
        await put(redis_url, json.dumps(body).encode())
        await until(lambda: len(got) == 1)


@pytest.mark.parametrize("poison", [b"garbage", b"\xff\xfe", b"[]", b"{}", b"null", b"", b'{"id": 3}'])
async def test_poison_is_put_aside_at_once_and_its_neighbour_is_not_delayed(redis_url: str, poison: bytes) -> None:
    got = list[str]()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test")
        async def take(one: SongPicked) -> None:
            got.append(one.song_id)

    async with running(redis_url, register) as bus:
        await put(redis_url, poison, pick().model_dump_json().encode())
        await until(lambda: bool(got), timeout_s=1.0)
        await until(lambda: _no_pending(bus))
        dead = await bus.redis.xrange("mood:picks:dead")
    assert len(dead) == 1
    assert dead[0][1][b"__data__"] == poison
    assert dead[0][1][b"group"] == b"test"


async def _no_pending(bus: Bus) -> bool:
    return bool((await bus.redis.xpending("mood:picks", "test"))["pending"] == 0)


async def test_a_failing_handler_is_tried_three_times_and_can_be_replayed(redis_url: str) -> None:
    tries, cured = list[str](), asyncio.Event()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test", QUICK)
        async def take(one: SongPicked) -> None:
            tries.append(one.song_id)
            if not cured.is_set():
                raise RuntimeError("no such luck")

    async with running(redis_url, register) as bus:
        await bus.publish(pick())
        await until(lambda: bus.redis.exists("mood:picks:dead"))
        assert tries == ["a song"] * 3
        with connected(redis_url) as client:
            [letter] = letters(client, "mood:")
            assert letter["error"] == "RuntimeError: no such luck"
            cured.set()
            assert replay(client, "mood:", {letter["letter"]}) == 1
            await until(lambda: len(tries) == 4)
            assert list(letters(client, "mood:")) == []


async def test_a_key_that_somebody_else_has_spoilt_is_not_waited_for(redis_url: str) -> None:
    tries = list[str]()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test", QUICK)
        async def take(one: SongPicked) -> None:
            tries.append(one.song_id)
            await bus.redis.hgetall("mood:spoilt")

    async with running(redis_url, register) as bus:
        await bus.redis.set("mood:spoilt", "a word")
        await bus.publish(pick())
        await until(lambda: bus.redis.exists("mood:picks:dead"))
        with connected(redis_url) as client:
            [letter] = letters(client, "mood:")
    assert tries == ["a song"] * 3
    assert "WRONGTYPE" in letter["error"]


async def test_an_entry_of_a_killed_worker_is_done_by_another(redis_url: str) -> None:
    got = list[str]()
    await put(redis_url, pick().model_dump_json().encode())
    with connected(redis_url) as client:
        client.xgroup_create("mood:picks", "test", id="0")
        assert client.xreadgroup("test", "killed", {"mood:picks": ">"}, count=1)

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test", QUICK)
        async def take(one: SongPicked) -> None:
            got.append(one.song_id)

    async with running(redis_url, register) as bus:
        await until(lambda: bool(got))
        await until(lambda: _no_pending(bus))
    assert got == ["a song"]


async def test_a_handler_that_hangs_is_cut_off(redis_url: str) -> None:
    cut = asyncio.Event()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume(router, bus, SongPicked, "test", QUICK)
        async def take(_: SongPicked) -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cut.set()
                raise

    async with running(redis_url, register) as bus:
        await bus.publish(pick())
        async with asyncio.timeout(5):
            await cut.wait()


async def test_frames_travel_with_their_headers_and_only_the_newest_wait(redis_url: str) -> None:
    got = list[FrameCaptured]()
    bus = create_bus(load(Settings, redis_url=redis_url, frames_kept=4))
    await bus.connect()
    sent = [
        FrameCaptured(camera_id="c", run_id="r", seq=seq, captured_at=utc_now(), jpeg=b"\xff\xd8\xff" + bytes(40_000))
        for seq in range(10)
    ]
    for frame in sent:
        assert await bus.publish_frame(frame)
    await bus.close()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume_captures(router, bus, FrameCaptured, "test")
        async def take(frame: FrameCaptured) -> None:
            got.append(frame)

    async with running(redis_url, register):
        await until(lambda: len(got) == 4)
    assert got == sent[-4:]


async def test_a_frame_without_headers_is_refused_and_the_next_is_read(redis_url: str) -> None:
    got = list[FrameCaptured]()

    def register(router: RedisRouter, bus: Bus) -> None:
        @consume_captures(router, bus, FrameCaptured, "test")
        async def take(frame: FrameCaptured) -> None:
            got.append(frame)

    async with running(redis_url, register) as bus:
        await bus.redis.xadd("mood:frames", {"__data__": b"\xff\xd8\xff"})
        await bus.redis.xadd("mood:frames", {"other": b"1"})
        good = FrameCaptured(camera_id="c", run_id="r", seq=0, captured_at=utc_now(), jpeg=b"\xff\xd8\xff")
        await bus.publish_frame(good)
        await until(lambda: len(got) == 1)
    assert got == [good]


async def test_follow_passes_over_what_is_no_event(redis_url: str) -> None:
    bus = create_bus(load(Settings, redis_url=redis_url))
    await bus.connect()
    await put(redis_url, b"garbage", pick(song_id="good").model_dump_json().encode())
    async for entry in bus.follow({SongPicked: "0-0"}, block_ms=100):
        assert entry is not None
        assert isinstance(entry[1], SongPicked)
        assert entry[1].song_id == "good"
        break
    await bus.close()


async def test_events_are_bare_json_on_the_wire(redis_url: str) -> None:
    bus = create_bus(load(Settings, redis_url=redis_url, prefix="kiosk7:"))
    await bus.connect()
    event = pick()
    await bus.publish(event)
    [(_, fields)] = await bus.redis.xrange("kiosk7:picks")
    await bus.close()
    assert list(fields) == [b"__data__"]
    assert json.loads(fields[b"__data__"]) == event.model_dump(mode="json")


def test_what_follows_from_one_cause_is_one_event() -> None:
    cause = pick(session_id=new_id())

    def follow(kind: type[Event], **fields: object) -> Event:
        return kind.following(cause, **fields)

    first, second = (follow(ReplyGiven, request_id="r") for _ in range(2))
    assert first.id == second.id != cause.id
    assert first.trace_id == cause.trace_id
    assert first.session_id == cause.session_id
    other = follow(ReplyGiven, request_id="r", session_id=None)
    assert other.session_id is None
    assert MoodChanged.__name__ not in first.id
