"""What we rely on of FastStream's inside (docs/decisions.md names each line), against the version that is installed.

`make faststream-next` runs this and the tests of delivery against the newest version there is, also before its release.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from faststream import AckPolicy, BaseMiddleware
from faststream.message import encode_message
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.parser import BinaryMessageFormatV1
from redis import Redis
from redis.exceptions import ResponseError

from moodstream.contracts.events import FrameCaptured, utc_now
from shared.bus.line_speed import LineSpeed
from shared.bus.message_format import BareJson, decode_capture, encode_capture
from shared.delivery.side_by_side import Subscription
from tests.support.redis_servers import single

STREAM, GROUP = "events", "readers"
WAIT_S = 20.0


class Notes:
    """What the middleware and the handler of one broker saw."""

    def __init__(self) -> None:
        self.raw: list[dict[str, Any]] = []
        self.handlers: list[Any] = []
        self.clients: list[Any] = []
        self.bodies: list[Any] = []
        self.arrived = asyncio.Event()


def broker_that_notes(url: str, notes: Notes, *subscriptions: StreamSub[Any], swallow: bool = False) -> RedisBroker:
    class Note(BaseMiddleware):
        async def consume_scope(self, call_next: Any, msg: Any) -> Any:
            notes.raw.append(msg.raw_message)
            notes.handlers.append(self.context.get("handler_"))
            notes.clients.append(self.context.get("broker").config.broker_config.connection.client)
            notes.bodies.append(await msg.decode())
            try:
                return await call_next(msg)
            finally:
                notes.arrived.set()

        async def __aexit__(self, *_: object) -> bool:
            return swallow

    broker = RedisBroker(url, message_format=BareJson, middlewares=[Note])

    async def fail(body: Any) -> None:
        raise RuntimeError("not done")

    for subscription in subscriptions:
        broker.subscriber(stream=subscription, ack_policy=AckPolicy.NACK_ON_ERROR)(fail)
    return broker


def subscription(claim_after_ms: int | None = None) -> Subscription:
    options: dict[str, Any] = {"polling_interval": 100, "min_idle_time": claim_after_ms}
    return Subscription(LineSpeed(), STREAM, group=GROUP, consumer="one", **options)


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    with Redis.from_url(redis_url) as client:
        client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        yield client


async def until(condition: Any) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_middleware_finds_entry_subscription_and_client_and_a_failure_stays_pending(
    redis_url: str, client: Any
) -> None:
    notes = Notes()
    broker = broker_that_notes(redis_url, notes, subscription())
    [subscriber] = broker.subscribers
    assert (subscriber.stream_sub.name, subscriber.stream_sub.group) == (STREAM, GROUP)  # type: ignore[attr-defined]
    entry = client.xadd(STREAM, {"__data__": b'{"mood": "calm"}'})
    async with broker:
        await broker.start()
        assert all(isinstance(task, asyncio.Task) for task in subscriber.tasks)  # type: ignore[attr-defined]
        await until(lambda: notes.arrived.is_set())
    assert notes.bodies == [{"mood": "calm"}]
    [raw] = notes.raw
    assert (raw["channel"], raw["message_ids"], raw["data"]) == (STREAM, [entry], {b"__data__": b'{"mood": "calm"}'})
    [found] = notes.handlers
    assert isinstance(found.stream_sub, Subscription)
    assert (found.stream_sub.min_idle_time, found.stream_sub.consumer, found.stream_sub.no_ack) == (None, "one", False)
    assert hasattr(notes.clients[0], "xclaim")
    assert client.xpending(STREAM, GROUP)["pending"] == 1


async def test_a_failure_that_a_middleware_takes_on_itself_is_acknowledged(redis_url: str, client: Any) -> None:
    notes = Notes()
    client.xadd(STREAM, {"__data__": b"{}"})
    async with broker_that_notes(redis_url, notes, subscription(), swallow=True) as broker:
        await broker.start()
        await until(lambda: notes.arrived.is_set() and client.xpending(STREAM, GROUP)["pending"] == 0)


async def test_a_subscriber_that_claims_reads_nothing_new_so_there_are_two(redis_url: str, client: Any) -> None:
    """If this fails, one subscriber is enough."""
    notes = Notes()
    abandoned = client.xadd(STREAM, {"__data__": b'{"n": 1}'})
    client.xreadgroup(GROUP, "dead", {STREAM: ">"})
    client.xadd(STREAM, {"__data__": b'{"n": 2}'})
    async with broker_that_notes(redis_url, notes, subscription(claim_after_ms=1), swallow=True) as broker:
        await broker.start()
        await until(lambda: notes.arrived.is_set())
        await asyncio.sleep(0.5)
    assert [raw["message_ids"] for raw in notes.raw] == [[abandoned]]
    assert client.xinfo_groups(STREAM)[0]["lag"] == 1


async def test_the_envelope_of_frames_is_understood_as_it_is_written() -> None:
    written = await BinaryMessageFormatV1.encode(
        message=b"\xff\xd8", reply_to=None, headers={"camera_id": "Küche".encode()}, correlation_id="1"
    )
    assert written.startswith(BinaryMessageFormatV1.IDENTITY_HEADER)
    body, headers = BinaryMessageFormatV1.parse(written)
    assert (body, headers["camera_id"], headers["correlation_id"]) == (b"\xff\xd8", "Küche", "1")
    assert json.loads(encode_message({"mood": "calm"}, None)[0]) == {"mood": "calm"}


@pytest.mark.parametrize("text", ["Küche", "入口", "e\u0301", "🎵 " * 40, "x" * 300])
async def test_text_of_any_alphabet_comes_back_out_of_the_headers(text: str) -> None:
    """FastStream counts characters where it writes bytes; what follows a header is read wrong then."""
    frame = FrameCaptured(camera_id="c", run_id=text, seq=7, captured_at=utc_now(), jpeg=b"\xff\xd8\xff" + bytes(50))
    body, headers = BinaryMessageFormatV1.parse(await encode_capture(frame))
    read = decode_capture(FrameCaptured, headers, body)
    assert (read.run_id, read.seq, read.jpeg) == (text, 7, frame.jpeg)


def test_a_subscription_without_a_prefix_is_not_copied() -> None:
    one = subscription()
    assert one.add_prefix("") is one
    assert one.add_prefix("mood:").name == f"mood:{STREAM}"


@pytest.mark.parametrize("server", ["Debian's Redis 7.0", "the embedded Valkey"])
def test_servers_of_ours_cannot_claim_while_they_read(server: str, redis_url: str) -> None:
    """FastStream's ``claim_min_idle_time`` needs XREADGROUP CLAIM. If this fails, half of the subscribers can go."""
    with server_client(server, redis_url) as client:
        client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        with pytest.raises(ResponseError, match=r"syntax error|Unbalanced"):
            client.execute_command("XREADGROUP", "GROUP", GROUP, "one", "CLAIM", 1, "STREAMS", STREAM, ">")


@contextmanager
def server_client(server: str, embedded: str) -> Iterator[Any]:
    if server == "the embedded Valkey":
        with Redis.from_url(embedded) as client:
            yield client
    else:
        with single() as client:
            yield client
