"""Signs of life: each process says once a second, for each of its services, when it was last alive.

    alive:<service>    a sorted set: the process, and when it was last alive, in seconds by the clock of Redis

Nothing else tells a service that has nothing to do from one that is gone: Redis 7.0 calls a consumer idle that asks for
work every two seconds and gets none.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from shared.bus.connection import Bus

REMEMBERED_S = 60.0
"""A process that has been silent for longer is forgotten as soon as another of its service is alive."""
KEPT_S = 30 * 24 * 3600
"""How long it stays known that there was such a service; long, because the clock of Redis may be set."""


async def write_heartbeat(bus: Bus, services: Iterable[str]) -> None:
    """Say that this process is alive, and note how long Redis's answer took. Raises what Redis raises."""
    begun_s = time.monotonic()
    now_s = _seconds(await bus.redis.time())
    took_s = time.monotonic() - begun_s
    try:
        begun_s = time.monotonic()
        await _write(bus, services, now_s)
        took_s = min(took_s, time.monotonic() - begun_s)  # either may have had to make a connection first
    finally:
        bus.line.note(bus.servers.addresses[0], took_s)


async def _write(bus: Bus, services: Iterable[str], now_s: float) -> None:
    async with bus.redis.pipeline(transaction=False) as all_:
        for service in services:
            key = _key(bus, service)
            all_.zadd(key, {bus.consumer: now_s})
            all_.zremrangebyscore(key, "-inf", now_s - REMEMBERED_S)
            all_.zremrangebyscore(key, now_s + REMEMBERED_S, "+inf")  # from before the clock was set back
            all_.expire(key, KEPT_S)
        await all_.execute()


async def read_heartbeats(bus: Bus, services: Iterable[str]) -> tuple[float, Mapping[str, Mapping[str, float]]]:
    """What the clock of Redis says now, and when each process was last alive by it, by service and process.

    Only services that anybody has ever been alive for. Raises what Redis raises.
    """
    wanted = list(services)
    async with bus.redis.pipeline(transaction=False) as all_:
        all_.time()
        for service in wanted:
            all_.zrange(_key(bus, service), 0, -1, withscores=True)
        clock, *found = await all_.execute()
    processes = ({name.decode(): at_s for name, at_s in one} for one in found)
    return _seconds(clock), {service: one for service, one in zip(wanted, processes, strict=True) if one}


def _key(bus: Bus, service: str) -> str:
    return bus.key("alive", service)


def _seconds(clock: Any) -> float:
    seconds, microseconds = clock
    return float(seconds + microseconds / 1e6)
