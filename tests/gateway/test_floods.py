"""Whoever asks for much, slowly, or under another name: the gateway stays small, and others are served."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from websockets.asyncio.client import connect

from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.cli.run.embedded_redis import embedded_redis
from services.gateway.pictures.guest_frames import ALL_PIXELS_PER_S, MAX_PIXELS, FrameGate, Pixels, Places
from services.gateway.pictures.picture_size import pixels_of
from shared.app import connections
from shared.app.connections import RESERVED, Connections, Http
from shared.app.request_guard import RequestGuard
from shared.app.websocket_connections import WebSockets
from shared.host_names import HostNames, host_of, parse_host_names
from shared.networks import Networks, is_public, parse_networks
from shared.web.rate_limit import Limits
from tests.support.gateways import Gateway, connected_bus
from tests.support.pictures import encoded, noise
from tests.support.scenes import mood_changed, new_session

LISTENERS = 300
LISTEN = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    settings = {"MOODSTREAM_PROXIES": "127.0.0.1", "MOODSTREAM_REQUESTS_PER_S": "0", "MOODSTREAM_CAMERA_ID": "door"}
    with embedded_redis() as url, Gateway(url, settings).run() as running:
        yield running


def rss_mb(gateway: Gateway) -> float:
    assert gateway._process is not None
    lines = Path(f"/proc/{gateway._process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says how much a process holds")
async def test_listeners_who_do_not_read_cost_little(gateway: Gateway) -> None:
    """A large snapshot for each of them: before, the gateway held a copy for each."""
    async with connected_bus(gateway.redis_url) as bus:
        for number in range(40):
            await bus.publish(mood_changed(Mood.HAPPY, new_session(), camera_id=f"c-{number}", model="x" * 10_000))
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        while len((await client.get("/api/v1/state")).content) < 400_000:
            await asyncio.sleep(0.05)
        before, held = rss_mb(gateway), []
        for _ in range(LISTENERS):
            one = gateway.connect_narrowly()
            await asyncio.get_running_loop().sock_sendall(one, LISTEN)
            held.append(one)
        while (await client.get("/metrics")).text.find(f"moodstream_feed_listeners {LISTENERS}.0") < 0:
            await asyncio.sleep(0.2)
        sockets = [await connect(f"ws://127.0.0.1:{gateway.port}/api/v1/events/ws", max_queue=1) for _ in range(30)]
        assert (await client.get("/health/live")).status_code == 200
        grown = rss_mb(gateway) - before
        for one in held:
            one.close()
        for listener in sockets:
            listener.transport.abort()
    assert grown < 45, f"{grown:.0f} MB for {LISTENERS} listeners with 0.4 MB each"


@contextlib.asynccontextmanager
async def served(monkeypatch: pytest.MonkeyPatch, headers_s: float, most: int = 100) -> AsyncIterator[int]:
    """The port of a web server with our protocols."""
    monkeypatch.setattr(connections, "HEADERS_S", headers_s)
    limits = Connections(most, Networks())
    app = Starlette(routes=[Route("/", lambda _: JSONResponse({}))])
    protocols: Any = {"http": partial(Http, connections=limits), "ws": partial(WebSockets, connections=limits)}
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", **protocols))
    sock = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield sock.getsockname()[1]
    finally:
        server.should_exit = True
        await task
    assert limits.count == 0


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"GET /"])
async def test_a_connection_that_asks_for_nothing_is_ended(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(monkeypatch, headers_s=0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


async def test_one_that_asks_again_and_again_is_kept_until_it_trickles(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(monkeypatch, headers_s=0.3) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"{}")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.15)
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for letter in b"GET / HTTP/1.1\r\nHost: localhost\r\nX: and so on":
                writer.write(bytes([letter]))
                await writer.drain()
                await asyncio.sleep(0.05)
                if reader.at_eof():
                    break
        assert time.monotonic() - begun < 2
        writer.close()


class Line:
    """A transport, as far as it is asked who is at its other end."""

    def __init__(self, host: str) -> None:
        self._host = host

    def get_extra_info(self, _: str) -> tuple[str, int]:
        return self._host, 1


def test_a_few_addresses_never_fill_all_places_and_this_machine_always_gets_one() -> None:
    limits, held = Connections(200, Networks()), []
    for host in ("203.0.113.1", "2001:db8::1", "198.51.100.7"):
        while limits.admit(line := Line(host)):
            held.append(line)
    assert len(held) < 200 - RESERVED
    assert not limits.admit(Line("2001:db8::2")), "one network of IPv6, one holder"
    another, here = Line("192.0.2.9"), Line("127.0.0.1")
    assert limits.admit(another)
    crowd = [Line(f"10.1.{number // 256}.{number % 256}") for number in range(2_000)]
    admitted = [limits.admit(line) for line in crowd]
    assert not all(admitted)
    assert limits.count == 200 - RESERVED
    assert limits.admit(here)
    for line in held:
        limits.release(line)
        limits.release(line)
    assert limits.admit(Line("203.0.113.1"))


async def test_three_addresses_do_not_take_all_places_of_listeners(gateway: Gateway) -> None:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=gateway.url, limits=limits, timeout=60) as client:

        async def status_of(address: str) -> int:
            async with client.stream("GET", "/api/v1/events", headers={"X-Forwarded-For": address}) as answer:
                if answer.status_code == 200:
                    await asyncio.sleep(60)
                return answer.status_code

        asked = [asyncio.create_task(status_of(f"203.0.113.{number % 3}")) for number in range(1_020)]
        async with asyncio.timeout(60):
            while sum(one.done() for one in asked) <= 120:
                await asyncio.sleep(0.2)
        assert {one.result() for one in asked if one.done()} == {429}
        async with client.stream("GET", "/api/v1/events", headers={"X-Forwarded-For": "192.0.2.1"}) as another:
            assert another.status_code == 200
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


HOSTS = {
    "localhost": True,
    "localhost.": True,
    "LOCALHOST:8080": True,
    "127.0.0.1:80": True,
    "[::1]:8080": True,
    "192.168.1.20": True,
    socket.gethostname(): True,
    "gateway:8000": True,
    "mood.example.org": True,
    "evil.example": False,
    "evil.example:8080": False,
    "127.0.0.1.evil.example": False,
    "localhost.evil.example": False,
    "localhost/": False,
    "127.0.0.1/@evil.example": False,
    "[::1": False,
    "[evil]": False,
    "user@localhost": False,
    "local host": False,
    "localhost:port": False,
    "": False,
    "\x00": False,
    "0x7f.1": False,
}


@pytest.mark.parametrize("host", HOSTS)
def test_only_names_of_ours_are_answered(host: str) -> None:
    names = HostNames(parse_host_names("mood.example.org"), ["gateway"])
    assert names.allows(host_of([(b"Host", host.encode())])) is HOSTS[host]
    assert not names.allows(host_of([(b"host", host.encode()), (b"HOST", b"localhost")])), "two of them"
    assert not names.allows(host_of([]))


@pytest.mark.parametrize("path", ["/", "/api/v1/state", "/operator", "/metrics", "/health/ready", "/static/app.js"])
def test_no_page_of_another_name_reads_anything(gateway: Gateway, path: str) -> None:
    for host in (
        "rebound.example",
        f"rebound.example:{gateway.port}",
        "rebound.example/",
        "localhost, rebound.example",
    ):
        answer = httpx.get(gateway.url + path, headers={"Host": host})
        assert (answer.status_code, list(answer.json())) == (421, ["error"]), host


@pytest.mark.parametrize("text", ["*", "0.0.0.0/0", "::/0", "1.2.3.4/4", "anybody", "10.0.0.1, *"])
def test_nobody_may_trust_everybody_as_a_proxy(text: str) -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_PROXIES"):
        parse_networks(text, "MOODSTREAM_PROXIES")


# fmt: off
PRIVATE = [
    "10.0.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "192.88.99.1", "::1", "::", "fe80::1", "fc00::1",
    "fec0::1", "::10.0.0.1", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1",
    "2002:a00:1::", "2001:db8::1", "3fff::1", "5f00::1", "100:0:0:1::1", "ff02::1",
    "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:10.0.0.1",
]
# fmt: on


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_in_every_form(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are_public() -> None:
    for address in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"):
        assert is_public(address), address


def test_dear_requests_count_for_more_and_no_path_is_free_but_the_sign_of_life() -> None:
    guard = RequestGuard(Starlette(), 20, {"/static": 0.05, "/api/v1/songs": 2.0})
    assert [guard.cost_of(path) for path in ("/static/a/b.js", "/api/v1/songs/similar", "/api/v1/picks", "/")] == [
        *(0.05, 2.0, 1.0, 1.0)
    ]
    assert guard.cost_of("/health/live") == 0
    assert guard.cost_of("/metrics") > 0
    assert guard.cost_of("/health/ready") > 0
    limits = Limits(1, 10, lambda: 0.0)
    assert [limits.take("a", 4) for _ in range(3)] == [0, 0, 2]
    assert limits.take("a", 2) == 0
    assert limits.take("b", 1_000) == 0, "dearer than a whole burst is taken once in a burst"
    assert limits.take("b") > 0


def test_pictures_are_paid_for_in_pixels() -> None:
    large, small = encoded(noise(1_400, 1_500), ".jpg"), encoded(noise(64, 48), ".jpg")
    assert (pixels_of(large), pixels_of(small)) == (1_400 * 1_500, 64 * 48)
    assert pixels_of(encoded(noise(1_500, 1_500), ".jpg")) == 1_500**2 > MAX_PIXELS
    for broken in (b"", b"\xff\xd8\xff", large[:10], b"\xff\xd8\xff\xe0" + b"picture" * 100, b"\xff" * 5_000):
        assert pixels_of(broken) is None
    everybody = Pixels(ALL_PIXELS_PER_S)
    gates = [FrameGate() for _ in range(8)]
    taken = sum(
        gate.refusal(large, now=tick / 100, all_pixels=everybody) is None for tick in range(1_000) for gate in gates
    )
    assert taken * 2_100_000 <= 12 * ALL_PIXELS_PER_S + MAX_PIXELS
    assert FrameGate().refusal(encoded(noise(1_500, 1_500), ".jpg"), 0.0) is not None


def test_places_for_cameras_are_shared() -> None:
    places = Places(4)
    assert [places.take("203.0.113.1") for _ in range(4)] == [True, True, False, False]
    assert places.take("203.0.113.2")
    assert [places.take("127.0.0.1") for _ in range(2)] == [True, False]
    places.give_back("203.0.113.1")
    assert places.take("192.0.2.1")


async def test_connections_that_send_no_picture_hold_no_place(gateway: Gateway) -> None:
    address = f"ws://127.0.0.1:{gateway.port}/api/v1/frames"
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await (await stack.enter_async_context(connect(address))).recv()
        visitor = await stack.enter_async_context(connect(address))
        await visitor.recv()
        await visitor.send(encoded(noise(64, 48), ".jpg"))
        assert '"accepted":true' in str(await visitor.recv()).replace(" ", "")


@pytest.mark.parametrize("name", ["a\x1b", "a b", "a/b", "a+#", "../x", "", ".", "-x", "ü", "x" * 101, "a\nb"])
async def test_names_that_are_none_and_cameras_that_there_are_not(gateway: Gateway, name: str) -> None:
    async with httpx.AsyncClient(base_url=f"{gateway.url}/api/v1") as client:
        for path, body in (("moods", {"mood": "calm"}), ("sessions/end", {}), ("feedback", {"kind": "like"})):
            assert (await client.post(f"/{path}", json={**body, "camera_id": name})).status_code == 422
            assert (await client.post(f"/{path}", json={**body, "camera_id": "invented"})).status_code == 404
        assert (await client.get("/moods", params={"camera_id": name})).status_code == 422
        assert (await client.get("/events", params={"camera": name})).status_code == 422
