"""Real partners of the bridge: a broker, a receiver of webhooks, a receiver of OSC; and the bridge itself."""

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import AsyncIOOSCUDPServer

from services.bridge.main import BridgeSettings, create_service
from shared.app.service import build_app, create_bus
from shared.bus.connection import Bus
from shared.settings import load
from tests.support.needs import missing
from tests.support.ports import free_port


@contextlib.asynccontextmanager
async def bridge(redis_url: str, **settings: Any) -> AsyncIterator[Bus]:
    """The service as an app runs it; gives its bus."""
    given = load(BridgeSettings, redis_url=redis_url, **settings)
    bus = create_bus(given)
    app = build_app(bus, create_service(given, bus))
    async with app.web.router.lifespan_context(app.web):
        await asyncio.wait_for(app.ready.wait(), 10)
        yield bus


async def until(condition: Callable[[], Any], timeout_s: float = 10.0) -> Any:
    """What the condition gives, as soon as it holds."""
    async with asyncio.timeout(timeout_s):
        while not (value := condition()):
            await asyncio.sleep(0.01)
    return value


@dataclass
class Broker:
    """Mosquitto that keeps nothing on disk: killed, it forgets all."""

    folder: Path
    port: int = field(default_factory=free_port)
    settings: str = "allow_anonymous true"
    """lines of its file"""
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            missing("mosquitto")
        assert program is not None
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\npersistence false\n{self.settings}\n")
        self._process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def broker(folder: Path, settings: str = "allow_anonymous true") -> Iterator[Broker]:
    one = Broker(folder, settings=settings)
    one.start()
    try:
        yield one
    finally:
        one.kill()


class Watcher:
    """Hears everything on a broker: the newest payload of each topic."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.payloads: dict[str, str] = {}
        self.arrived: dict[str, float] = {}

    async def _hear(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.payloads[str(message.topic)] = message.payload.decode()
            self.arrived[str(message.topic)] = time.perf_counter()

    def json(self, topic: str) -> Any:
        return json.loads(self.payloads[topic]) if self.payloads.get(topic) else {}


@contextlib.asynccontextmanager
async def watching(one: Broker) -> AsyncIterator[Watcher]:
    async with aiomqtt.Client("127.0.0.1", one.port) as client:
        watcher = Watcher(client)
        await client.subscribe("#", qos=1)
        task = asyncio.create_task(watcher._hear())
        try:
            yield watcher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@dataclass
class Posted:
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Endpoint:
    """A receiver of webhooks on a fixed port; ``status`` says how it answers."""

    port: int = field(default_factory=free_port)
    status: Callable[[Posted], tuple[int, str]] = lambda _: (204, "")
    got: list[Posted] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Connections that are open are cut."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            self._server = None

    def __post_init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers["content-length"]))
                posted = Posted(headers, body, time.perf_counter())
                self.got.append(posted)
                status, more = self.status(posted)
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{more}\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@contextlib.asynccontextmanager
async def endpoint(**fields: Any) -> AsyncIterator[Endpoint]:
    one = Endpoint(**fields)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


def receivers_file(folder: Path, *receivers: dict[str, Any]) -> Path:
    """The TOML of some receivers."""
    file = folder / "webhooks.toml"
    text = ""
    for receiver in receivers:
        text += "[[webhook]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in receiver.items())
    file.write_text(text)
    return file


@contextlib.asynccontextmanager
async def hearing_osc(port: int | None = None) -> AsyncIterator[tuple[int, list[tuple[float, str, tuple[Any, ...]]]]]:
    """A port, a free one when none is given, and what came to it: (time, address, values)."""
    heard: list[tuple[float, str, tuple[Any, ...]]] = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(lambda address, *values: heard.append((time.perf_counter(), address, values)))
    port = port or free_port()
    loop: Any = asyncio.get_running_loop()
    transport, _ = await AsyncIOOSCUDPServer(("127.0.0.1", port), dispatcher, loop).create_serve_endpoint()
    try:
        yield port, heard
    finally:
        transport.close()
