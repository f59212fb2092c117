"""Subscribing to a stream so that nothing is lost: a consumer group from id 0, one entry at a time, claiming, limits.

The bridge's groups begin at the end of a stream instead: third parties hear of what happens from now on.

Each handler has two subscribers: one reads new entries, one claims those whose worker died; FastStream's
``min_idle_time`` alone never reads new ones. Handlers get the event; expired events and those done before do not reach
them (``age_limit``, ``idempotence``), and those that cannot be handled end in ``dead_letters``.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from faststream import AckPolicy
from faststream.redis import RedisRouter, RedisStreamMessage
from faststream.redis.parser import BinaryMessageFormatV1
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from moodstream.contracts.events import Captured, Event, RequestMade, utc_now
from moodstream.contracts.requests import completed
from shared.bus.connection import Bus
from shared.bus.follower import BLOCK_MS
from shared.bus.message_format import decode_capture
from shared.delivery.side_by_side import Subscription, side_by_side

log = logging.getLogger("moodstream.delivery")

CAPTURE_ROUND_TRIPS = 3
"""On a slow line a capture is older by so many: it came, and waited for the worker to ask for it."""


@dataclass(frozen=True)
class Timing:
    """Of a fast line; on a slow one a handler gets longer (``HANDLER_ROUND_TRIPS``)."""

    handler_timeout_s: float = 4.0
    claim_after_ms: int = 5_000
    """an entry that no worker has said to be in its hands for this time (``in_hand``) is given to another"""
    claim_every_ms: int = 1_000


TIMING = Timing()
HANDLER_ROUND_TRIPS = 12
"""The dearest handler needs nine (tests/recommender/test_round_trips.py); connections may have to be made, too."""


E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Captured)
Handler = Callable[[E], Awaitable[None]]


def consume(
    router: RedisRouter,
    bus: Bus,
    event: type[E],
    group: str,
    timing: Timing = TIMING,
    *,
    start: str = "0",
    takes_expired: bool = False,
) -> Callable[[Handler[E]], Handler[E]]:
    """Decorate a handler of one type of event; ``group`` is the consumer group, named like the service."""

    def decorate(handler: Handler[E]) -> Handler[E]:
        async def receive(body: E) -> None:
            try:
                async with asyncio.timeout(bus.line.patience_s(timing.handler_timeout_s, HANDLER_ROUND_TRIPS)):
                    await handler(body)
            except TimeoutError:
                if reason := bus.outage.reason:  # it waited for Redis, so the event did not fail
                    raise RedisTimeoutError(reason) from None
                raise

        receive.__annotations__["body"] = event
        receive.__name__ = handler.__name__
        for claim_after in (None, timing.claim_after_ms):
            subscription = Subscription(
                bus.line,
                bus.stream(event),
                group=group,
                consumer=f"{group}-{bus.consumer}",
                polling_interval=BLOCK_MS if claim_after is None else timing.claim_every_ms,
                min_idle_time=claim_after,
            )
            subscription.start, subscription.takes_expired = start, takes_expired
            subscriber = router.subscriber(
                stream=subscription,
                ack_policy=AckPolicy.NACK_ON_ERROR,
                decoder=_decode_request if event is RequestMade else None,
            )
            receive = side_by_side(subscriber)(receive)
        return handler

    return decorate


async def _decode_request(message: RedisStreamMessage) -> Any:
    """Completes a request of another program from its entry. Raises ValueError for what is no JSON."""
    raw: Any = message.raw_message
    return completed(json.loads(message.body), raw["message_ids"][0].decode(), message.headers.get("correlation_id"))


def is_too_old(bus: Bus, captured_at: datetime, max_age_s: float) -> bool:
    """Whether a frame or a sound is not worth reading any more; on a slow line it is older when it comes."""
    return (utc_now() - captured_at).total_seconds() > bus.line.patience_s(max_age_s, CAPTURE_ROUND_TRIPS)


def consume_captures(
    router: RedisRouter, bus: Bus, kind: type[C], group: str
) -> Callable[[Callable[[C], Awaitable[None]]], None]:
    """Decorate the handler of frames or sounds: workers share them; none is claimed, since an old one is worthless."""

    reader = router if bus.servers.frames_broker is bus.broker else bus.servers.frames_broker

    running: set[asyncio.Task[None]] = set()

    async def decode(message: RedisStreamMessage) -> C | None:
        """Here and not in the handler, since FastStream would look up the message in another thread for it."""
        entry: Any = message.raw_message
        # only this worker gets it: Redis deletes it while it is read, and nobody finds it there later
        deletion = asyncio.create_task(bus.publisher.delete_entries(entry["channel"], entry["message_ids"]))
        running.add(deletion)
        deletion.add_done_callback(running.discard)
        try:
            return decode_capture(kind, message.headers, message.body)
        except (KeyError, ValueError) as error:
            log.warning("refused a %s without its headers: %s", kind.KIND, type(error).__name__)
            bus.metrics.count_malformed(kind)
            return None

    def decorate(handler: Callable[[C], Awaitable[None]]) -> None:
        subscription = Subscription(
            bus.line,
            bus.servers.capture_stream(kind),
            group=group,
            consumer=f"{group}-{bus.consumer}",
            polling_interval=BLOCK_MS,
            no_ack=True,
        )
        subscriber = reader.subscriber(stream=subscription, message_format=BinaryMessageFormatV1, decoder=decode)

        @side_by_side(subscriber)  # type: ignore[untyped-decorator]
        async def receive(capture: Captured | None) -> None:
            if isinstance(capture, kind):
                await handler(capture)

    return decorate


async def create_groups(bus: Bus) -> None:
    """Create the consumer group of every subscriber, and its consumer; what exists stays as it is.

    The consumer too, since Redis 7.0 makes none while it reads nothing: a worker of a quiet stream would not be known.
    """
    subscriptions = _subscriptions(bus)
    starts = {(sub.name, sub.group): getattr(sub, "start", Subscription.start) for sub in subscriptions}
    consumers = {(sub.name, sub.group, sub.consumer) for sub in subscriptions}
    for _, server in bus.servers.clients():
        async with server.pipeline(transaction=False) as all_:
            for (stream, group), start in sorted(starts.items()):
                if bus.holder(stream) is server:
                    all_.xgroup_create(stream, group, id=start, mkstream=True)
            for stream, group, consumer in sorted(consumers):
                if bus.holder(stream) is server:
                    all_.xgroup_createconsumer(stream, group, consumer)
            for answer in await all_.execute(raise_on_error=False):
                if isinstance(answer, Exception) and not _is_there(answer):
                    raise answer


def _is_there(error: Exception) -> bool:
    return isinstance(error, ResponseError) and str(error).startswith("BUSYGROUP")


def service_of(group: str) -> str:
    """The service whose group it is: of its name, maybe with more behind a hyphen."""
    return group.partition("-")[0]


def groups(bus: Bus) -> set[tuple[str, str]]:
    """(stream, consumer group) of every subscriber."""
    return {(sub.name, sub.group) for sub in _subscriptions(bus)}


def _subscriptions(bus: Bus) -> list[Any]:
    all_of_them = (
        getattr(subscriber, "stream_sub", None) for broker in bus.brokers for subscriber in broker.subscribers
    )
    return [sub for sub in all_of_them if sub is not None and sub.group]
