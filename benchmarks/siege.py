"""A gateway under all floods at once: ``python -m benchmarks.siege [--seconds 60]``. Linux alone.

From addresses of their own come 900 listeners who never read, 50 half requests, pictures of 16 and of 2 megapixels as
fast as they are taken, WebSockets that send no picture, and dear questions again and again. Meanwhile a visitor of this
machine picks a song of each offer, and a drawn face stands before the site's own camera. Each service is a process of
its own. Exit code 1 when the gateway holds more than its container may, a pick waits too long, or the camera starves.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from moodstream.contracts.events import FacesRead, SongsOffered, SongsRanked
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from tests.support.gateways import connected_bus
from tests.support.memory import Samples, Watch
from tests.support.page.listeners import LISTEN, NARROW_BYTES
from tests.support.pictures import encoded, noise
from tests.support.processes import Part
from tests.support.scenes import mood_changed, new_session

GATEWAY_MB = 256
"""What the compose file allows the gateway."""
RANKED_S = 1.0
READ_PER_S = 8.0
"""Of ten pictures a second of the site's own camera."""
DEAF, HALF, PUSHING, FALSE_CAMERAS, ASKING = 900, 50, 4, 8, 8
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 42)]
HALF_REQUEST = b"POST /api/v1/moods HTTP/1.1\r\nHost: localhost\r\nContent-Le"
DEAR = ("/api/v1/moods?count=500", "/api/v1/sessions?count=100", "/api/v1/songs/search?text=lvoe&n=50", "/metrics")
REFUSED = (OSError, httpx.HTTPError, WebSocketException, TimeoutError)
"""Refused, cut off or too slow: rightly."""


class Siege:
    """All that is done to the gateway at a port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.done: Counter[str] = Counter()
        self._pictures = cycle([encoded(noise(4_000, 4_000), ".jpg"), encoded(noise(1_920, 1_080), ".jpg")])

    def tasks(self) -> Iterator[Callable[[str], Any]]:
        yield from [self.listen_deaf] * DEAF
        yield from [self.ask_by_half] * HALF
        yield from [self.push] * PUSHING
        yield from [self.be_no_camera] * FALSE_CAMERAS
        yield from [self.ask_much] * ASKING

    async def lay(self, over: threading.Event) -> None:
        """Until it is over."""
        acts = [
            asyncio.create_task(self._again(act, address))
            for act, address in zip(self.tasks(), cycle(ADDRESSES), strict=False)
        ]
        while not over.is_set():
            await asyncio.sleep(0.1)
        for act in acts:
            act.cancel()
        await asyncio.gather(*acts, return_exceptions=True)

    async def _again(self, act: Callable[[str], Any], address: str) -> None:
        while True:
            with contextlib.suppress(*REFUSED):
                await act(address)
            self.done[act.__name__] += 1
            await asyncio.sleep(0.2)

    async def listen_deaf(self, address: str) -> None:
        await self._hold(address, LISTEN, 30)

    async def ask_by_half(self, address: str) -> None:
        await self._hold(address, HALF_REQUEST, 30)

    async def _hold(self, address: str, said: bytes, for_s: float) -> None:
        with socket.socket() as narrow:
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
            narrow.setblocking(False)
            narrow.bind((address, 0))
            loop = asyncio.get_running_loop()
            await loop.sock_connect(narrow, ("127.0.0.1", self.port))
            await loop.sock_sendall(narrow, said)
            await asyncio.sleep(for_s)

    async def push(self, address: str) -> None:
        async with self._client(address) as client:
            answer = await client.post("/api/v1/frames?camera=flood", content=next(self._pictures))
            self.done[f"pictures: {answer.status_code}"] += 1

    async def be_no_camera(self, address: str) -> None:
        at = f"ws://127.0.0.1:{self.port}/api/v1/frames"
        async with connect(at, local_addr=(address, 0), open_timeout=5) as line:
            await line.send(bytes(1_000))
            await asyncio.sleep(5)

    async def ask_much(self, address: str) -> None:
        async with self._client(address) as client:
            for path in DEAR:
                answer = await client.get(path)
                self.done[f"questions: {answer.status_code}"] += 1

    @contextlib.asynccontextmanager
    async def _client(self, address: str) -> AsyncIterator[httpx.AsyncClient]:
        line = httpx.AsyncHTTPTransport(local_address=address)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", transport=line, timeout=5) as client:
            yield client


async def visit(redis_url: str, port: int, seconds: float) -> tuple[list[float], float]:
    """Seconds from each pick to its ranking, infinite where none came, and readings a second of the site's camera."""
    waits: list[float] = []
    async with connected_bus(redis_url) as bus, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        read_before, begun_s = await bus.redis.xinfo_stream(bus.stream(FacesRead)), time.monotonic()
        while time.monotonic() - begun_s < seconds:
            await bus.publish(mood := mood_changed(Mood.HAPPY, new_session(), phase="start", camera_id="desk"))
            offer = await next_of(bus, SongsOffered, "session_id", mood.session_id)
            picked_s = time.monotonic()
            waits.append(float("inf"))
            if (
                offer is not None
                and await pick(client, offer)
                and await next_of(bus, SongsRanked, "offer_id", offer.id)
            ):
                waits[-1] = time.monotonic() - picked_s
            await asyncio.sleep(0.5)
        read_after = await bus.redis.xinfo_stream(bus.stream(FacesRead))
        read = read_after["entries-added"] - read_before["entries-added"]
    return waits, read / (time.monotonic() - begun_s)


async def pick(client: httpx.AsyncClient, offer: SongsOffered, within_s: float = 5) -> bool:
    """Its first song; tried again while the gateway has not heard of the offer, which a page has from it."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        with contextlib.suppress(httpx.HTTPError):
            body = {"offer_id": offer.id, "song_id": offer.songs[0].id}
            if (await client.post("/api/v1/picks", json=body, timeout=5)).is_success:
                return True
        await asyncio.sleep(0.02)
    return False


async def next_of(bus: Any, kind: Any, field: str, wanted: str | None, within_s: float = 5) -> Any:
    """The event of a kind whose field is what is wanted; None when none comes."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        for _, entry in await bus.redis.xrevrange(bus.stream(kind), count=20):
            if getattr(event := kind.model_validate_json(entry[b"__data__"]), field) == wanted:
                return event
        await asyncio.sleep(0.01)
    return None


@contextlib.contextmanager
def site(folder: Path, redis_url: str) -> Iterator[dict[str, Part]]:
    """Everything but a player, ready."""
    settings = {"camera": "pattern:", "camera_id": "hall"}
    environment = {name: str(folder) for name in ("XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")}
    names = ("gateway", "camera", "emotion", "recommender")
    parts = {name: Part(name, f"services.{name}.main", folder, redis_url, environment, **settings) for name in names}
    try:
        for part in parts.values():
            part.start()
        for part in parts.values():
            part.wait_ready(120)
        yield parts
    finally:
        for part in parts.values():
            part.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description="A gateway under all floods at once.")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    over = threading.Event()
    with tempfile.TemporaryDirectory() as folder, embedded_redis() as url, site(Path(folder), url) as parts:
        port = parts["gateway"].port
        before, _ = asyncio.run(visit(url, port, 5))
        siege = Siege(port)
        flood = threading.Thread(target=lambda: asyncio.run(siege.lay(over)), daemon=True)
        with Watch({"gateway": parts["gateway"].pid}, 0.2) as watch:
            flood.start()
            time.sleep(3)
            waits, read_per_s = asyncio.run(visit(url, port, given.seconds))
            over.set()
            flood.join()
        deaths = [name for name, part in parts.items() if part.ends]
    return tell(before, waits, read_per_s, watch.samples["gateway"], siege.done, deaths)


def tell(
    before: list[float],
    waits: list[float],
    read_per_s: float,
    memory: Samples,
    done: Counter[str],
    deaths: list[str],
) -> int:
    most_mb = max(size for _, size in memory)
    slowest_s = max(waits)
    for what, count in sorted(done.items()):
        print(f"{what:24} {count}")
    for name, some in (("undisturbed", before), ("besieged", waits)):
        half, most, all_ = np.percentile(some, [50, 95, 100], method="higher")
        print(f"pick to ranking, {name}, {len(some)} visits: p50 {half:.3f} s, p95 {most:.3f} s, longest {all_:.3f} s")
    print(f"targets: {RANKED_S:g} s, {GATEWAY_MB} MB in the gateway, {READ_PER_S:g} readings/s of the site's camera")
    print(f"gateway at most {most_mb:.0f} MB; readings of the site's camera {read_per_s:.1f}/s")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" + (f"; ended: {deaths}" if deaths else ""))
    held = most_mb <= GATEWAY_MB and slowest_s <= RANKED_S and read_per_s >= READ_PER_S and not deaths
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
