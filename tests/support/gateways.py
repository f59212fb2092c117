"""A gateway in a process of its own, as it is deployed, and a bus of the test to speak to it through Redis."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from faststream.redis.parser import BinaryMessageFormatV1
from pydantic import JsonValue

from moodstream.contracts.events import Captured, FrameCaptured, ReplyGiven, RequestMade, StatusChanged
from shared.app.service import create_bus
from shared.bus.connection import Bus
from shared.bus.message_format import decode_capture
from shared.contracts.request_examples import EXAMPLES
from shared.settings import Settings, load
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
START_S = 60.0
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 100
REPLIES: dict[str, JsonValue] = {one.request.KIND: one.reply.model_dump(mode="json") for one in EXAMPLES}
"""By kind of request."""


@dataclass
class Gateway:
    """Starts, stops and starts again on the same port."""

    redis_url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    verify: ssl.SSLContext | bool = True
    """what its certificate is checked against, where it has one"""
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        scheme = "https" if "MOODSTREAM_TLS_CERTIFICATE" in self.settings else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def start(self, ready: bool = True) -> None:
        """``ready`` waits until Redis is followed; else only until the page is there."""
        environment = os.environ | self.settings
        environment |= {"MOODSTREAM_REDIS_URL": self.redis_url, "MOODSTREAM_PORT": str(self.port)}
        self._process = subprocess.Popen([sys.executable, "-m", "services.gateway.main"], cwd=ROOT, env=environment)
        deadline = time.monotonic() + START_S
        path = "/health/ready" if ready else "/health/live"
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.url + path, verify=self.verify).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the gateway did not start")

    def stop(self) -> tuple[int, float]:
        """Exit code and seconds that the end took."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError("the gateway did not end") from None
        self._process = None
        return code, time.monotonic() - begun

    def connect_narrowly(self) -> socket.socket:
        """A connection that takes in little that is not read: the kernel would hold megabytes."""
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        narrow.connect(("127.0.0.1", self.port))
        narrow.setblocking(False)
        return narrow

    def memory_mb(self) -> float:
        """The most that it has held so far; 0 where nobody says."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():  # no Linux
            return 0.0
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1000

    @contextlib.contextmanager
    def run(self, ready: bool = True) -> Iterator["Gateway"]:
        try:
            self.start(ready)
            yield self
        finally:
            if self._process is not None:
                self.stop()


@contextlib.asynccontextmanager
async def connected_bus(redis_url: str) -> AsyncIterator[Bus]:
    """The bus of a test."""
    bus = create_bus(load(Settings, redis_url=redis_url))
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.close()


@dataclass(frozen=True)
class Message:
    """One server-sent event."""

    event: str
    data: Any
    id: str | None


@contextlib.asynccontextmanager
async def listening(client: httpx.AsyncClient, last_id: str | None = None) -> AsyncIterator[AsyncIterator[Message]]:
    """The messages of the feed, from one connection."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with client.stream("GET", "/api/v1/events", headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield messages_of(response)


async def messages_of(response: httpx.Response) -> AsyncIterator[Message]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield Message(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}


async def state_where(client: httpx.AsyncClient, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The gateway's state, as soon as it is as expected."""
    async with asyncio.timeout(5):
        while True:
            state: dict[str, Any] = (await client.get("/api/v1/state")).json()
            if holds(state):
                return state
            await asyncio.sleep(0.02)


async def answer(
    bus: Bus, kind: str, result: JsonValue = None, error: str | None = None
) -> "asyncio.Task[RequestMade]":
    """Stand in for the service that serves ``kind``: from now on, answer the next request and give it back.

    Without a result or an error, the answer is the example of that kind.
    """
    if result is None and error is None:
        result = REPLIES[kind]
    start = await bus.last_id(RequestMade)

    async def serve() -> RequestMade:
        async with asyncio.timeout(10):
            async for entry in bus.follow({RequestMade: start}, block_ms=100):
                if entry and isinstance(entry[1], RequestMade) and entry[1].kind == kind:
                    request = entry[1]
                    await bus.publish(ReplyGiven.following(request, request_id=request.id, result=result, error=error))
                    return request
        raise AssertionError("nobody asked")

    return asyncio.create_task(serve())


C = TypeVar("C", bound=Captured)


async def captures_of(bus: Bus, kind: type[C], camera_id: str) -> list[C]:
    """The frames or sounds of a camera that wait in their stream."""
    captures = []
    for _, fields in await bus.frames.xrange(bus.servers.capture_stream(kind)):
        body, headers = BinaryMessageFormatV1.parse(fields[b"__data__"])
        captures.append(decode_capture(kind, headers, body))
    return [capture for capture in captures if capture.camera_id == camera_id]


async def frames_of(bus: Bus, camera_id: str) -> list[FrameCaptured]:
    """The frames of a camera that wait in their stream."""
    return await captures_of(bus, FrameCaptured, camera_id)


async def states_of(bus: Bus, camera_id: str, count: int) -> list[tuple[str, str | None]]:
    """The first states that were published of a camera, with their codes, once there are so many."""
    states: list[tuple[str, str | None]] = []
    async with asyncio.timeout(10):
        async for entry in bus.follow({StatusChanged: "0-0"}, block_ms=100):
            if entry and isinstance(entry[1], StatusChanged) and entry[1].part == camera_id:
                states.append((entry[1].state, entry[1].code))
            if len(states) == count:
                return states
    raise AssertionError("too few")
