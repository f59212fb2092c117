"""200 listeners, webhooks and MQTT for a long time, with faults: ``python -m benchmarks.wires_soak [--minutes 30]``.

100 listen by server-sent events and 100 by WebSocket while moods are published; now and then Mosquitto is killed or the
receiver of webhooks goes away, and both return. Says what was lost, what came twice, and how memory grew.
Needs mosquitto.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import connect

from moodstream.contracts.events import MoodChanged
from moodstream.contracts.moods import MOODS
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from shared.web.webhook_secret import new_secret
from tests.support.bridges import Broker, Endpoint, bridge, broker, endpoint, receivers_file, until, watching
from tests.support.gateways import Gateway
from tests.support.scenes import mood_changed, new_session

EVENTS = "/api/v1/events"
ID = re.compile(r'"id":"([0-9a-f-]{36})","type":"MoodChanged"')
AWAY_S = 3.0
LOOK_EVERY_S = 15.0


@dataclass
class Tally:
    """What happened."""

    sent: list[str] = field(default_factory=list)
    heard: list[list[str]] = field(default_factory=list)
    memory_mb: list[tuple[float, float]] = field(default_factory=list)
    """(minutes, megabytes) of the gateway"""
    mqtt_kills: int = 0
    mqtt_wrong: int = 0
    """returns after which the broker's state was not the newest within ten seconds"""
    receiver_kills: int = 0


async def by_websocket(gateway: Gateway, heard: list[str], ready: asyncio.Semaphore) -> None:
    async with connect(f"ws://127.0.0.1:{gateway.port}{EVENTS}/ws?type=MoodChanged") as socket:
        await socket.recv()
        ready.release()
        async for text in socket:
            heard.extend(ID.findall(str(text)))


async def by_events(gateway: Gateway, heard: list[str], ready: asyncio.Semaphore) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=2**20)
    with contextlib.closing(writer):
        writer.write(f"GET {EVENTS}?type=MoodChanged HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"event: snapshot")
        await reader.readline()
        await reader.readline()
        ready.release()
        while line := await reader.readline():
            heard.extend(ID.findall(line.decode()))


@contextlib.asynccontextmanager
async def listeners(gateway: Gateway, tally: Tally, count: int) -> AsyncIterator[None]:
    ready, tasks = asyncio.Semaphore(0), []
    for number in range(count):
        tally.heard.append([])
        listen = by_websocket if number % 2 else by_events
        tasks.append(asyncio.create_task(listen(gateway, tally.heard[-1], ready)))
    for _ in tasks:
        await ready.acquire()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def publish(bus: Bus, tally: Tally, rate: float, seconds: float) -> None:
    begun, session = time.monotonic(), new_session()
    for number in itertools.count():
        await asyncio.sleep(begun + number / rate - time.monotonic())
        if time.monotonic() - begun > seconds:
            return
        mood: MoodChanged = mood_changed(MOODS[number % 4], session)
        await bus.publish(mood)
        tally.sent.append(mood.id)


async def break_things(mosquitto: Broker, receiver: Endpoint, tally: Tally, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        mosquitto.kill()
        await asyncio.sleep(AWAY_S)
        mosquitto.start()
        tally.mqtt_kills += 1
        tally.mqtt_wrong += not await _follows(mosquitto)
        await asyncio.sleep(every_s)
        await receiver.stop()
        await asyncio.sleep(AWAY_S)
        await receiver.start()
        tally.receiver_kills += 1


async def _follows(mosquitto: Broker) -> bool:
    """Whether the broker has the state again, and it changes."""
    topic = "moodstream/camera-1/state"
    try:
        async with watching(mosquitto) as watcher:
            first = await until(lambda: watcher.json(topic))
            await until(lambda: watcher.json(topic) != first)
    except TimeoutError:
        return False
    return True


async def look(gateway: Gateway, tally: Tally) -> None:
    begun = time.monotonic()
    while True:
        tally.memory_mb.append(((time.monotonic() - begun) / 60, memory_mb(gateway)))
        await asyncio.sleep(LOOK_EVERY_S)


def memory_mb(gateway: Gateway) -> float:
    assert gateway._process is not None
    status = Path(f"/proc/{gateway._process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1000


async def soak(redis_url: str, folder: Path, given: argparse.Namespace) -> bool:
    tally = Tally()
    async with contextlib.AsyncExitStack() as stack:
        gateway = stack.enter_context(Gateway(redis_url).run())
        mosquitto = stack.enter_context(broker(folder))
        receiver = await stack.enter_async_context(endpoint())
        hook = {"name": "x", "url": receiver.url, "secrets": [new_secret()], "private": True}
        file = receivers_file(folder, hook)
        bus = await stack.enter_async_context(bridge(redis_url, mqtt_url=mosquitto.url, webhooks=file))
        await stack.enter_async_context(listeners(gateway, tally, given.listeners))
        others = [
            asyncio.create_task(look(gateway, tally)),
            asyncio.create_task(break_things(mosquitto, receiver, tally, given.fault_every_s)),
        ]
        await publish(bus, tally, given.rate, 60 * given.minutes)
        with contextlib.suppress(TimeoutError):
            await until(lambda: all(len(heard) >= len(tally.sent) for heard in tally.heard), 30)
        if receiver._server is None:
            await until(lambda: receiver._server is not None, 2 * AWAY_S)
        with contextlib.suppress(TimeoutError):
            await until(lambda: set(tally.sent) <= {one.headers["webhook-id"] for one in receiver.got}, 60)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    return report(tally, Counter(one.headers["webhook-id"] for one in receiver.got))


def report(tally: Tally, posted: Counter[str]) -> bool:
    """Print the figures; whether nothing that is promised was lost."""
    wrong = sum(heard != tally.sent for heard in tally.heard)
    lost = len(set(tally.sent) - set(posted))
    later = tally.memory_mb[len(tally.memory_mb) // 2 :]
    hours = (later[-1][0] - later[0][0]) / 60
    slope = f"{(later[-1][1] - later[0][1]) / hours:+.1f} MB/h" if hours else "too short to tell"
    most = max(mb for _, mb in tally.memory_mb)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{len(tally.sent)} moods, {len(tally.heard)} listeners, {load}")
    print(f"listeners that did not hear every mood once and in order: {wrong}")
    print(f"gateway: at most {most:.0f} MB, in the second half {slope}")
    steps = tally.memory_mb[:: max(1, len(tally.memory_mb) // 10)]
    print("         " + ", ".join(f"{minutes:.1f} min {mb:.1f}" for minutes, mb in steps))
    print(f"MQTT: killed {tally.mqtt_kills} times, state wrong after the return {tally.mqtt_wrong} times")
    twice = sum(count - 1 for count in posted.values())
    print(f"webhooks: receiver away {tally.receiver_kills} times, {lost} lost, {twice} came twice")
    return not (wrong or lost or tally.mqtt_wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description="Listeners, webhooks and MQTT for a long time, with faults.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--rate", type=float, default=10, help="moods per second")
    parser.add_argument("--fault-every-s", type=float, default=20)
    given = parser.parse_args()
    with embedded_redis() as url, tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(soak(url, Path(folder), given)) else 1


if __name__ == "__main__":
    sys.exit(main())
