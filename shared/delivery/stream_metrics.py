"""What Redis knows of the streams that a process reads, for Prometheus; FastStream's own metrics lack it."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from redis.exceptions import RedisError

from moodstream.contracts.streams import CAPTURES, DEAD_SUFFIX
from shared.bus.connection import Bus
from shared.contracts.access import RIGHTS
from shared.delivery.consume import groups

TIMEOUT_S = 2.0


class StreamMetrics:
    """Gauges; ``refresh`` brings them up to date."""

    def __init__(self, bus: Bus, services: Sequence[str] = ()) -> None:
        self._bus, self._services = bus, services
        self.registry = CollectorRegistry()
        self._up = self._gauge("redis_up", "1 when Redis answers, else 0")
        self._length = self._gauge("stream_entries", "Entries in a stream", "stream")
        self._dead = self._gauge("stream_dead_letters", "Dead letters of a stream", "stream")
        self._trimmed = self._gauge("stream_trimmed", "Entries trimmed from a stream, read or not", "stream")
        self._unread = self._gauge(
            "stream_trimmed_unread",
            "Entries trimmed before a consumer group read them",
            "stream",
            "group",
        )
        self._lag = self._gauge("stream_lag", "Entries that a consumer group has not read yet", "stream", "group")
        self._pending = self._gauge(
            "stream_pending", "Entries that a consumer group has read, not acknowledged", "stream", "group"
        )

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"moodstream_{name}", text, labels, registry=self.registry)

    async def refresh(self) -> None:
        """Ask Redis; where it does not answer, only ``redis_up`` changes."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._read_streams()
        except (TimeoutError, RedisError, OSError, RuntimeError):  # the last before the first connection
            self._up.set(0)
        else:
            self._up.set(1)

    async def _read_streams(self) -> None:
        read = groups(self._bus)
        for stream in self._followed():
            name = stream.removeprefix(self._bus.prefix)
            self._length.labels(name).set(await self._bus.redis.xlen(stream))
            self._dead.labels(name).set(await self._bus.redis.xlen(stream + DEAD_SUFFIX))
        for stream in sorted({stream for stream, _ in read}):
            name = stream.removeprefix(self._bus.prefix)
            about = await self._bus.holder(stream).xinfo_stream(stream)
            self._length.labels(name).set(about["length"])
            self._trimmed.labels(name).set(about["entries-added"] - about["length"])
            if name not in CAPTURES.values():
                self._dead.labels(name).set(await self._bus.redis.xlen(stream + DEAD_SUFFIX))
            for info in await self._bus.holder(stream).xinfo_groups(stream):
                group = info["name"].decode()
                if (stream, group) in read:
                    # frames and sounds are deleted when they are read, so what is there is what waits
                    waiting = about["length"] if name in CAPTURES.values() else lag(info, about)
                    self._lag.labels(name, group).set(waiting)
                    self._unread.labels(name, group).set(_trimmed_unread(about, info))
                    self._pending.labels(name, group).set(info["pending"])

    def _followed(self) -> Iterator[str]:
        """Streams without a group, whose dead letters a service sees to by itself."""
        for rights in (RIGHTS[name] for name in self._services if name in RIGHTS):
            for kind in rights.puts_aside:
                yield self._bus.stream(kind)


def _trimmed_unread(about: dict[str, Any], info: dict[str, Any]) -> int:
    """How many entries the group has not read according to Redis, but which were trimmed."""
    first = about["first-entry"]
    if info["lag"] is None or first is None or _parse_id(info["last-delivered-id"]) >= _parse_id(first[0]):
        return 0
    return max(0, int(info["lag"]) - int(about["length"]))


def _parse_id(entry_id: bytes) -> tuple[int, int]:
    time_ms, _, number = entry_id.partition(b"-")
    return int(time_ms), int(number)


def lag(group: dict[str, Any], stream: dict[str, Any]) -> float:
    """Entries that a group has not read, from XINFO GROUPS and XINFO STREAM.

    Before version 8, Redis goes on counting unread entries that were trimmed away (its issue 13957), which every busy
    stream of frames has. Where entries were deleted it says nothing (nil): not a number, rather than 0.
    """
    if group["last-delivered-id"] == stream["last-generated-id"]:
        return 0.0
    return float("nan") if group["lag"] is None else float(min(group["lag"], stream["length"]))
