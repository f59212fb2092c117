"""One change of mood on every wire at once: how long it takes to arrive on each."""

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from moodstream.contracts.moods import MOODS
from shared.web.webhook_secret import new_secret
from tests.support.bridges import bridge, broker, endpoint, hearing_osc, receivers_file, until, watching
from tests.support.gateways import Gateway, listening
from tests.support.scenes import mood_changed, new_session

WIRES = ("Redis", "SSE", "WebSocket", "webhook", "MQTT", "OSC")


class Arrivals:
    """When each mood came, by wire; a mood of a session is known by its confidence, which all wires tell."""

    def __init__(self) -> None:
        self.at: dict[str, dict[float, float]] = defaultdict(dict)

    def came(self, wire: str, confidence: float) -> None:
        self.at[wire].setdefault(round(confidence, 4), time.perf_counter())


async def measure(redis_url: str, folder: Path, count: int, pause_s: float = 0.05) -> dict[str, list[float]]:
    """Milliseconds from before the publication to the arrival, for each wire and each of ``count`` changes."""
    arrivals, published = Arrivals(), dict[float, float]()
    async with contextlib.AsyncExitStack() as stack:
        enter, enter_async = stack.enter_context, stack.enter_async_context
        gateway = enter(Gateway(redis_url).run())
        mosquitto = enter(broker(folder))
        receiver = await enter_async(endpoint())
        hook = {"name": "x", "url": receiver.url, "secrets": [new_secret()], "private": True}
        port, osc = await enter_async(hearing_osc())
        bus = await enter_async(
            bridge(
                redis_url,
                mqtt_url=mosquitto.url,
                osc_to=f"127.0.0.1:{port}",
                webhooks=receivers_file(folder, hook),
            )
        )
        mqtt = await enter_async(watching(mosquitto))
        listeners = await enter_async(asyncio.TaskGroup())
        tasks = [
            listeners.create_task(one(arrivals)) for one in (_redis(redis_url), _sse(gateway), _websocket(gateway))
        ]
        await asyncio.sleep(1)
        session = new_session()
        for number in range(count):
            mood = mood_changed(MOODS[number % 4], session, confidence=0.6 + number / 1000)
            begun = published[mood.confidence] = time.perf_counter()
            await bus.publish(mood)

            def all_have_it(confidence: float = mood.confidence, begun: float = begun) -> bool:
                for posted in receiver.got[-1:]:
                    arrivals.at["webhook"].setdefault(round(posted.json["data"]["confidence"], 4), posted.at)
                topic = "moodstream/camera-1/state"
                if mqtt.json(topic).get("confidence") == round(confidence, 4):
                    arrivals.at["MQTT"].setdefault(round(confidence, 4), mqtt.arrived[topic])
                new = [at for at, name, _ in osc[-500:] if name == "/mood" and at > begun]
                if new:
                    arrivals.at["OSC"].setdefault(round(confidence, 4), new[0])
                return all(round(confidence, 4) in arrivals.at[wire] for wire in WIRES)

            await until(all_have_it, 10)
            await asyncio.sleep(pause_s)
        for task in tasks:
            task.cancel()
    return {
        wire: [1000 * (arrivals.at[wire][round(confidence, 4)] - at) for confidence, at in published.items()]
        for wire in WIRES
    }


def p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def _redis(redis_url: str) -> Callable[[Arrivals], Any]:
    async def listen(arrivals: Arrivals) -> None:
        async with Redis.from_url(redis_url) as client:
            last: Any = "$"
            while True:
                answer: Any = await client.xread({"mood:moods": last}, block=1000)
                for _, entries in answer or []:
                    for entry_id, fields in entries:
                        last = entry_id
                        arrivals.came("Redis", json.loads(fields[b"__data__"])["confidence"])

    return listen


def _sse(gateway: Gateway) -> Callable[[Arrivals], Any]:
    async def listen(arrivals: Arrivals) -> None:
        async with httpx.AsyncClient(base_url=gateway.url) as client, listening(client) as messages:
            async for message in messages:
                if message.event == "MoodChanged":
                    arrivals.came("SSE", message.data["confidence"])

    return listen


def _websocket(gateway: Gateway) -> Callable[[Arrivals], Any]:
    async def listen(arrivals: Arrivals) -> None:
        async with connect(f"ws://127.0.0.1:{gateway.port}/api/v1/events/ws?type=MoodChanged") as socket:
            async for text in socket:
                message = json.loads(text)
                if message["event"] == "MoodChanged":
                    arrivals.came("WebSocket", message["data"]["confidence"])

    return listen
