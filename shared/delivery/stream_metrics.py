"""What Redis knows of the streams that a process reads, for Prometheus; FastStream's own metrics lack it.

Each fact is one series: of the processes that could tell it, the first by name that is alive does. What waits for a
consumer group is told by who reads in it, the length of a stream and its dead letters by the service that monitors all.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from redis.exceptions import NoPermissionError, RedisError

from moodstream.contracts.streams import CAPTURES, DEAD_SUFFIX, EVENT_OF_STREAM
from shared.bus.connection import Bus
from shared.bus.heartbeats import read_heartbeats
from shared.contracts.access import RIGHTS
from shared.delivery.consume import groups, service_of

TIMEOUT_S, ROUND_TRIPS = 2.0, 12
SILENT_S = 10.0
"""A process that has not said for so long that it is alive leaves what it told to the next."""


@dataclass(frozen=True)
class Fact:
    """A value of a gauge, with its labels."""

    gauge: Gauge
    labels: tuple[str, ...]
    value: float


class StreamMetrics:
    """Gauges; ``refresh`` brings them up to date."""

    def __init__(self, bus: Bus, services: Sequence[str] = ()) -> None:
        self._bus = bus
        self._monitors = next((name for name in services if name in RIGHTS and RIGHTS[name].monitors), None)
        self.registry = CollectorRegistry()
        self._up = self._gauge("redis_up", "1 when Redis answers, else 0")
        of_group = "stream", "group"
        self._unread = self._gauge(
            "stream_trimmed_unread", "Entries trimmed before a consumer group read them", *of_group
        )
        self._lag = self._gauge("stream_lag", "Entries that a consumer group has not read yet", *of_group)
        self._pending = self._gauge(
            "stream_pending", "Entries that a consumer group has read, not acknowledged", *of_group
        )
        self._gauges = [self._unread, self._lag, self._pending]
        if self._monitors:
            self._length = self._gauge("stream_entries", "Entries in a stream", "stream")
            self._dead = self._gauge("stream_dead_letters", "Dead letters of a stream", "stream")
            self._gauges += [self._length, self._dead]

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"moodstream_{name}", text, labels, registry=self.registry)

    async def refresh(self) -> None:
        """Ask Redis; where it does not answer, only ``redis_up`` changes."""
        try:
            async with asyncio.timeout(self._bus.line.patience_s(TIMEOUT_S, ROUND_TRIPS)):
                facts = await self._read_facts()
        except (TimeoutError, RedisError, OSError, RuntimeError):  # the last before the first connection
            self._up.set(0)
            return
        self._up.set(1)
        for gauge in self._gauges:
            gauge.clear()
        for fact in facts:
            fact.gauge.labels(*fact.labels).set(fact.value)

    async def _read_facts(self) -> list[Fact]:
        ours = sorted(groups(self._bus))
        wanted = {service_of(group) for _, group in ours} | ({self._monitors} if self._monitors else set())
        alive = await self._read_alive(sorted(wanted))
        facts = await self._read_groups(ours, alive)
        if self._monitors and self._bus.consumer == min(alive[self._monitors]):
            facts += await self._read_streams()
        return facts

    async def _read_alive(self, services: Sequence[str]) -> Mapping[str, set[str]]:
        """The living processes of each service, this one among them, which may not have said it yet."""
        try:
            clock_s, beats = await read_heartbeats(self._bus, services)
        except NoPermissionError:  # the heartbeat tells operators of it; each process then tells all that it could
            clock_s, beats = 0.0, {}
        return {
            service: {self._bus.consumer}
            | {process for process, at_s in beats.get(service, {}).items() if abs(clock_s - at_s) < SILENT_S}
            for service in services
        }

    async def _read_groups(self, ours: Sequence[tuple[str, str]], alive: Mapping[str, set[str]]) -> list[Fact]:
        """In two round trips to each server."""
        facts = list[Fact]()
        for _, server in self._bus.servers.clients():
            held = [(stream, group) for stream, group in ours if self._bus.holder(stream) is server]
            async with server.pipeline(transaction=False) as asking:
                for stream, group in held:
                    asking.xinfo_consumers(stream, group)
                consumers = await asking.execute()
            told = [one for one, known in zip(held, consumers, strict=True) if self._tells(one[1], known, alive)]
            async with server.pipeline(transaction=False) as asking:
                for stream, _ in told:
                    asking.xinfo_stream(stream)
                    asking.xinfo_groups(stream)
                answers = await asking.execute()
            for (stream, group), about, groups_ in zip(told, answers[::2], answers[1::2], strict=True):
                [info] = [one for one in groups_ if one["name"].decode() == group]
                facts += self._facts(stream.removeprefix(self._bus.prefix), group, about, info)
        return facts

    def _tells(self, group: str, consumers: Sequence[Mapping[str, Any]], alive: Mapping[str, set[str]]) -> bool:
        """Whether this process tells what is known of a group: the first by name of its living readers does."""
        names = {one["name"].decode() for one in consumers}
        readers = {process for process in alive[service_of(group)] if f"{group}-{process}" in names}
        return self._bus.consumer == min(readers | {self._bus.consumer})

    def _facts(self, name: str, group: str, about: dict[str, Any], info: dict[str, Any]) -> list[Fact]:
        # frames and sounds are deleted when they are read, so what is there is what waits
        waiting = about["length"] if name in CAPTURES.values() else lag(info, about)
        return [
            Fact(self._lag, (name, group), waiting),
            Fact(self._unread, (name, group), _trimmed_unread(about, info)),
            Fact(self._pending, (name, group), info["pending"]),
        ]

    async def _read_streams(self) -> list[Fact]:
        captures = {name: self._bus.key(name) for name in CAPTURES.values()}
        async with self._bus.redis.pipeline(transaction=False) as all_:
            for name in EVENT_OF_STREAM:
                all_.xlen(self._bus.key(name))
                all_.xlen(self._bus.key(name) + DEAD_SUFFIX)
            lengths = await all_.execute()
        facts = [Fact(self._length, (name,), await self._bus.holder(key).xlen(key)) for name, key in captures.items()]
        for name, entries, dead in zip(EVENT_OF_STREAM, lengths[::2], lengths[1::2], strict=True):
            facts += [Fact(self._length, (name,), entries), Fact(self._dead, (name,), dead)]
        return facts


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
