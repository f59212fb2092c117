"""The connection of a process to Redis: publish events and frames, follow streams, ask and be answered."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from faststream.redis import RedisBroker, RedisSentinelBroker
from faststream.redis.parser import BinaryMessageFormatV1
from pydantic import BaseModel
from redis.exceptions import RedisError

from moodstream import sentinel
from moodstream.contracts.events import Event, FacesRead, FrameCaptured, ReplyGiven, RequestMade
from moodstream.contracts.requests import Request
from moodstream.contracts.streams import EVENT_OF_STREAM, FRAMES, STREAMS
from moodstream.errors import NoAnswer
from shared.bus.message_format import BareJson, request_of, unwrapped
from shared.bus.metrics import Metrics
from shared.bus.outage import Outage
from shared.bus.replicas import Replicas
from shared.bus.traces import Traces
from shared.logs import Sparing
from shared.settings import Settings

log = logging.getLogger("moodstream.bus")

R = TypeVar("R", bound=BaseModel)

AWAY = (RedisError, ConnectionError)
"""What is raised while Redis cannot be reached, or refuses: no memory, no disk, no right, a replica. None of these is
the fault of an event, so what failed of them is tried again."""

BLOCK_MS = 2_000
"""How long one read waits; below the socket's time-out."""

PUBLISH_PATIENCE_S = 30.0
"""An event is tried again for so long while Redis is away."""

FRAME_PATIENCE_S = 1.0
"""A frame is not worth more."""


class _Silent:
    """FastStream's own log lines would repeat, with tracebacks, what ``dead_letters`` and ``watchdog`` say in one."""

    def log(self, level: int, msg: Any, /, *, exc_info: Any = None, extra: Any = None) -> None:
        """Say nothing."""


class Bus:
    """Wraps the FastStream broker of the events, and that of the frames where they have a server of their own.

    Nothing connects before ``connect``.
    """

    def __init__(self, settings: Settings, middlewares: Sequence[Any] = ()) -> None:
        self.prefix = settings.prefix
        self.traces = Traces(settings.traces_url, settings.traces_fraction)
        self.metrics = Metrics()
        self.frames_kept = settings.frames_kept
        self.events_kept_days = settings.events_kept_days
        self.consumer = f"{socket.gethostname()}-{os.getpid()}"
        self.broker = self.frames_broker = _broker(settings.address(settings.redis_url), middlewares)
        self.addresses = [without_password(settings.redis_url)]
        self._replicas = Replicas() if sentinel.is_sentinel(settings.redis_url) else None
        frames_url = settings.frames_redis_url or settings.redis_url
        if frames_url != settings.redis_url:
            self.frames_broker = _broker(settings.address(frames_url), middlewares)
            self.addresses.append(without_password(frames_url))
        self.outage = Outage(" and ".join(self.addresses))
        for broker in self.brokers:
            broker.context.set_global("bus", self)
        self._redis: Any = None
        self._frames: Any = None
        self.frames_dropped = 0
        self.stopping = asyncio.Event()
        """set when the process begins to end; whatever holds a connection open lets go of it"""

    @property
    def redis(self) -> Any:
        """The client of redis-py (answers are bytes). Any, because its types leave open whether it decodes."""
        if self._redis is None:
            raise RuntimeError("the bus is not connected yet")
        return self._redis

    @property
    def brokers(self) -> list[RedisBroker]:
        """One, or two where the frames have a server of their own."""
        return [self.broker] if self.frames_broker is self.broker else [self.broker, self.frames_broker]

    def holder(self, stream: str) -> Any:
        """The client of the server that holds a stream, whose name has the prefix."""
        return self._frames if stream == self.key(FRAMES) else self.redis

    async def connect(self) -> None:
        """Make the clients; they reach out only when they are used."""
        self._redis = await self.broker.connect()
        self._frames = self._redis if self.frames_broker is self.broker else await self.frames_broker.connect()

    async def ping(self) -> None:
        """Raises RedisError or OSError when a server does not answer."""
        await self.redis.ping()
        if self._frames is not self.redis:
            await self._frames.ping()

    async def close(self) -> None:
        for client in {self._redis, self._frames} - {None}:
            await sentinel.forget(client)
        for broker in self.brokers:
            await broker.stop()
        await asyncio.to_thread(self.traces.close)

    def count_lines(self, lines: Sparing) -> None:
        """Let the metrics tell what the log leaves out."""
        text = "Lines of the log that came too fast"
        self.metrics.gauge("moodstream_log_lines_left_out", text, lambda: float(lines.left_out))

    def key(self, *parts: str) -> str:
        """A key or stream of this site."""
        return self.prefix + ":".join(parts)

    def stream(self, event: type[Event]) -> str:
        return self.key(STREAMS[event].name)

    async def publish(self, event: Event, add: Callable[[Event], Awaitable[None]] | None = None) -> None:
        """Publish an event on its stream; waits with back-off while Redis is away, then raises what Redis raised.

        ``add`` puts it there in another way than ``Bus.add``.
        """
        with self.traces.making(event):
            await self._publish(event, add or self.add)

    async def _publish(self, event: Event, add: Callable[[Event], Awaitable[None]]) -> None:
        what, begun_s = f"publishing {event.type}", asyncio.get_running_loop().time()
        deadline = begun_s + PUBLISH_PATIENCE_S
        pause = 0.1
        while True:
            try:
                await add(event)
            except AWAY as error:
                self.outage.note(what, error)
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, 2.0)
            else:
                self.outage.passed(what)
                self.metrics.published(event.type, asyncio.get_running_loop().time() - begun_s)
                return

    async def add(self, event: Event) -> None:
        """Publish an event if Redis takes it at once, else raise what Redis raised."""
        stream = STREAMS[type(event)]
        body = event.model_dump_json().encode()
        if self._replicas is None or isinstance(event, FacesRead):
            await self.broker.publish(body, stream=self.key(stream.name), maxlen=stream.kept)
            return
        async with self.redis.pipeline(transaction=False) as both:
            await self.broker.publish(body, stream=self.key(stream.name), maxlen=stream.kept, pipeline=both)
            await self._replicas.confirm(both)

    async def confirmed(self, pipeline: Any) -> list[Any]:
        """The answers to a pipeline, once a second server has what it wrote, where there is one."""
        return list(await pipeline.execute()) if self._replicas is None else await self._replicas.confirm(pipeline)

    async def publish_frame(self, frame: FrameCaptured) -> bool:
        """Publish a frame, or drop and count it when Redis does not take it within a second."""
        headers = {
            "camera_id": frame.camera_id,
            "run_id": frame.run_id,
            "seq": str(frame.seq),
            "captured_at": frame.captured_at.isoformat(),
        }
        body = await BinaryMessageFormatV1.encode(
            message=frame.jpeg, reply_to=None, headers=headers, correlation_id=f"{frame.run_id}-{frame.seq}"
        )
        try:
            with self.traces.making(frame):
                async with asyncio.timeout(FRAME_PATIENCE_S):
                    stream = self.key(FRAMES)
                    await self.holder(stream).xadd(
                        stream, {"__data__": body}, maxlen=self.frames_kept, approximate=False
                    )
        except (TimeoutError, RedisError, OSError) as error:
            self.outage.note("publishing frames", error)
            self.frames_dropped += 1
            self.metrics.frame_lost()
            return False
        self.outage.passed("publishing frames")
        return True

    async def forget(self, stream: str, entry_ids: Sequence[bytes]) -> None:
        """Delete entries; where Redis does not, they go with the next ones."""
        try:
            await self.holder(stream).xdel(stream, *entry_ids)
        except AWAY as error:
            self.outage.note(f"deleting from {stream}", error)
        else:
            self.outage.passed(f"deleting from {stream}")

    async def last_id(self, event: type[Event]) -> str:
        """Id of the newest entry of a stream, "0-0" when it is empty."""
        newest = await self.redis.xrevrange(self.stream(event), count=1)
        return str(newest[0][0].decode()) if newest else "0-0"

    async def follow(
        self, start: dict[type[Event], str], block_ms: int = BLOCK_MS, gather_ms: int = 0
    ) -> AsyncIterator[tuple[str, Event] | None]:
        """Entries after the given ids, without a group, as (entry id, event).

        Ends when the process begins to end (``stopping``); a loop around it must end then, too. ``None`` comes when
        nothing came for ``block_ms``. Entries that are no events are passed over with a warning. With ``gather_ms`` it
        waits so long after each answer: what comes in quick succession is then taken together.
        Waits with back-off while Redis is away.
        """
        position = {self.stream(event): at for event, at in start.items()}
        first, *others = (event.__name__ for event in start)
        what = f"following {first}" + (f" and {len(others)} more" if others else "")
        pause = 0.1
        while not self.stopping.is_set():
            try:
                answer = await self.redis.xread(position, count=100, block=block_ms)
            except AWAY as error:
                self.outage.note(what, error)
                yield None
                await asyncio.sleep(pause)
                pause = min(2 * pause, 2.0)
                continue
            pause = 0.1
            self.outage.passed(what)
            for name, entries in answer:
                for entry_id, fields in entries:
                    position[name.decode()] = entry_id.decode()
                    event = self.parse(name.decode(), fields, entry_id)
                    if event is not None:
                        yield entry_id.decode(), event
            if not answer:
                yield None
            elif gather_ms:
                await asyncio.sleep(gather_ms / 1000)

    async def newest(self, event: type[Event], count: int) -> list[Event]:
        """The newest events of a stream, newest first."""
        return [one for _, one in await self.newest_entries(event, count)]

    async def newest_entries(self, event: type[Event], count: int) -> list[tuple[str, Event]]:
        """The newest entries of a stream as (entry id, event), newest first.

        An event that was published again, as happens when an answer got lost, stands where it was the first time only.
        """
        entries = await self.redis.xrevrange(self.stream(event), count=count)
        first: dict[str, tuple[str, Event]] = {}
        for entry_id, fields in reversed(entries):
            one = self.parse(self.stream(event), fields, entry_id)
            if one is not None:
                first.setdefault(one.id, (entry_id.decode(), one))
        return list(reversed(first.values()))

    def parse(self, stream: str, fields: dict[bytes, bytes], entry_id: bytes) -> Event | None:
        """The event in an entry of a stream, or None with a warning when it is none."""
        try:
            kind = EVENT_OF_STREAM[stream.removeprefix(self.prefix)]
            if kind is RequestMade:
                return RequestMade.model_validate(request_of(fields[b"__data__"], entry_id.decode()))
            return kind.model_validate_json(unwrapped(fields[b"__data__"])[0])
        except (KeyError, ValueError, RecursionError) as error:
            log.warning("%s: an entry that is no event was passed over (%s)", stream, type(error).__name__)
            return None

    async def ask(self, request: Request[R], timeout_s: float = 1.0) -> R:
        """Ask whichever service answers this kind. Raises RequestRefused, or NoAnswer when nobody answers in time."""
        start = await self.last_id(ReplyGiven)
        made = request.made(timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                await self.publish(made)
                async for entry in self.follow({ReplyGiven: start}, block_ms=500):
                    if entry and isinstance(entry[1], ReplyGiven) and entry[1].request_id == made.id:
                        return request.reply_of(entry[1])
        except TimeoutError:
            pass
        raise NoAnswer(request.KIND, timeout_s)


def frame_of(headers: dict[str, str], body: bytes) -> FrameCaptured:
    """The frame in a message. Raises KeyError or ValueError when a header is missing or wrong."""
    return FrameCaptured(
        camera_id=headers["camera_id"],
        run_id=headers["run_id"],
        seq=int(headers["seq"]),
        captured_at=datetime.fromisoformat(headers["captured_at"]),
        jpeg=body,
    )


def _broker(url: str, middlewares: Sequence[Any]) -> RedisBroker:
    options: dict[str, Any] = {
        "message_format": BareJson,
        "middlewares": middlewares,
        "socket_timeout": 3,
        "socket_connect_timeout": 2,
        "health_check_interval": 15,
        "graceful_timeout": 8,
        "logger": _Silent(),
    }
    if sentinel.is_sentinel(url):
        return RedisSentinelBroker(**sentinel.broker_options(url), **options)
    return RedisBroker(url, **options)


def without_password(url: str) -> str:
    """An address that may be shown."""
    url = url.partition("?")[0]  # behind it may stand another
    parts = urlsplit(url)
    return url.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1) if parts.netloc else url
