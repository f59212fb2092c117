"""Whether each service works, from what Redis knows: who reads which stream, how long ago, and what waits.

Every process writes once a second that it is alive (``shared.bus.heartbeats``). So health needs no address of any
service, and no port.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from moodstream.contracts.streams import DEAD_SUFFIX, EVENT_OF_STREAM, FRAMES, SOUNDS
from services.gateway.state.heartbeats import ALIVE_S, Heartbeats
from shared.bus.connection import Bus
from shared.bus.heartbeats import read_heartbeats

log = logging.getLogger("moodstream.gateway")

NEEDED = ("camera", "emotion", "recommender", "player")
VOICE = "voice"
SERVICES = (*NEEDED, VOICE, "bridge")
TIMEOUT_S, ROUND_TRIPS = 2.0, 8
FRESH_S = 1.0
State = Literal["online", "offline", "degraded", "off"]


@dataclass
class Health:
    """As of one moment."""

    needed: tuple[str, ...] = NEEDED
    redis: bool = False
    ping_ms: float | None = None
    memory_mb: float | None = None
    streams: list[dict[str, Any]] = field(default_factory=list)
    seen_s: dict[str, float] = field(default_factory=dict)
    """seconds since a service was last alive"""
    workers: dict[str, int] = field(default_factory=dict)
    """processes that are alive, by service"""

    @property
    def dead_letters(self) -> int:
        return sum(stream["dead_letters"] for stream in self.streams)

    def state(self, service: str) -> State:
        if self.workers.get(service):
            return "online"
        return "offline" if service in self.needed or service in self.seen_s else "off"


class HealthReader:
    """Asks Redis at most once a second, however many ask for it."""

    def __init__(self, bus: Bus, alive_s: float = ALIVE_S, *, voice: bool = False) -> None:
        """``voice``: whether the operator wants voices to be heard."""
        self._needed = (*NEEDED, VOICE) if voice else NEEDED
        self._captures = (FRAMES, SOUNDS) if voice else (FRAMES,)
        self._bus, self._heartbeats = bus, Heartbeats(alive_s)
        self._health, self._read_s = Health(self._needed), float("-inf")
        self._reading = asyncio.Lock()

    async def read_health(self) -> Health:
        async with self._reading:
            if time.monotonic() - self._read_s >= FRESH_S:
                self._health, self._read_s = await self._read_redis(), time.monotonic()
        return self._health

    async def _read_redis(self) -> Health:
        health = Health(self._needed)
        try:
            async with asyncio.timeout(self._bus.line.patience_s(TIMEOUT_S, ROUND_TRIPS)):
                begun_s = time.perf_counter()
                await self._bus.ping()
                health.ping_ms = round(1000 * (time.perf_counter() - begun_s), 2)
                await self._read_streams(health)
                await self._read_heartbeats(health)
                health.redis = True
                info = await self._bus.redis.info("memory")
                health.memory_mb = round(info["used_memory"] / 1e6, 1)
        except ResponseError:
            pass  # this user may not ask for the memory
        except (TimeoutError, RedisError, OSError, RuntimeError):  # the last before the first connection
            health.redis = False
        return health

    async def _read_streams(self, health: Health) -> None:
        """In one round trip to each server."""
        names = (*self._captures, *EVENT_OF_STREAM)
        async with self._bus.redis.pipeline(transaction=False) as dead:
            for name in names:
                dead.xlen(self._bus.key(name) + DEAD_SUFFIX)
            dead_letters = dict(zip(names, await dead.execute(), strict=True))
        for _, server in self._bus.servers.clients():
            held = [name for name in names if self._bus.holder(self._bus.key(name)) is server]
            async with server.pipeline(transaction=False) as about:
                for name in held:
                    about.xlen(self._bus.key(name))
                    about.xinfo_groups(self._bus.key(name))
                answers = await about.execute(raise_on_error=False)
            for name, entries, groups in zip(held, answers[::2], answers[1::2], strict=True):
                health.streams.append(_about(name, entries, groups, dead_letters[name]))

    async def _read_heartbeats(self, health: Health) -> None:
        try:
            clock_s, alive = await read_heartbeats(self._bus, SERVICES)
        except NoPermissionError as error:
            log.warning("%s; every service seems to be away: create the ACL file again", error)
            return
        health.workers = dict(self._heartbeats.count_alive(alive, clock_s, time.monotonic()))
        health.seen_s = {name: round(max(0.0, clock_s - max(times.values())), 1) for name, times in alive.items()}


def _lag(group: dict[str, Any], entries: int) -> int | None:
    """Entries that a group has not read; None where Redis does not know. It also counts those trimmed away unread."""
    return None if group["lag"] is None else min(int(group["lag"]), entries)


def _about(name: str, entries: Any, groups: Any, dead_letters: int) -> dict[str, Any]:
    """Raises what Redis has answered instead of the number of entries."""
    if isinstance(entries, Exception):
        raise entries
    known = groups if isinstance(groups, list) else []  # nobody has written or read it yet
    return {
        "stream": name,
        "entries": entries,
        "dead_letters": dead_letters,
        "groups": [
            {"group": group["name"].decode(), "lag": _lag(group, entries), "pending": group["pending"]}
            for group in known
        ],
    }
