"""The client hears moods from the page and from Redis, also across a restart."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from queue import Queue
from typing import Any

import pytest

from moodstream.client import events, iter_events, iter_moods, moods
from moodstream.contracts.events import Event, MoodChanged
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import embedded_redis
from tests.support.gateways import Gateway, connected_bus
from tests.support.ports import free_port
from tests.support.scenes import mood_changed, new_session, playing


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url).run() as running:
        yield running


class Hearing:
    """Takes all from an iterator in the background."""

    def __init__(self, heard: Any) -> None:
        self.heard: list[Event] = []
        self._task = asyncio.create_task(self._hear(heard))

    async def _hear(self, heard: Any) -> None:
        async with aclosing(heard):
            async for event in heard:
                self.heard.append(event)

    async def stop(self) -> None:
        while not self._task.done():  # as shared.app.service does: libraries lose cancellations
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.5)


async def publish_until(bus: Any, hearing: Hearing, count: int) -> list[str]:
    """Publish moods until one is heard, then ``count`` more; the ids of those."""
    async with asyncio.timeout(15):
        while not hearing.heard:
            await bus.publish(mood_changed(Mood.SAD, new_session()))
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        del hearing.heard[:]
        wanted = [mood_changed(Mood.HAPPY, new_session()) for _ in range(count)]
        for mood in wanted:
            await bus.publish(playing())
            await bus.publish(mood)
        while len(hearing.heard) < count:
            await asyncio.sleep(0.02)
    return [mood.id for mood in wanted]


@pytest.mark.parametrize("wire", ["page", "redis"])
async def test_moods_come_typed_and_in_order(gateway: Gateway, wire: str) -> None:
    async with connected_bus(gateway.redis_url) as bus:
        hearing = Hearing(moods(gateway.url if wire == "page" else gateway.redis_url))
        expected = await publish_until(bus, hearing, 5)
        await hearing.stop()
    assert [event.id for event in hearing.heard] == expected
    assert all(isinstance(event, MoodChanged) and event.mood is Mood.HAPPY for event in hearing.heard)


@pytest.mark.parametrize("wire", ["page", "redis"])
async def test_programs_without_asyncio_hear_the_same(gateway: Gateway, wire: str) -> None:
    heard: Queue[MoodChanged] = Queue()

    def listen() -> None:
        for mood in iter_moods(gateway.url if wire == "page" else gateway.redis_url, moods=["calm"]):
            heard.put(mood)
            return

    thread = threading.Thread(target=listen)
    thread.start()
    async with connected_bus(gateway.redis_url) as bus, asyncio.timeout(15):
        while heard.empty():
            for mood in (Mood.SAD, Mood.CALM):
                await bus.publish(mood_changed(mood, new_session()))
            await asyncio.sleep(0.05)
    thread.join(5)
    assert heard.get().mood is Mood.CALM


async def test_after_a_restart_of_the_gateway_it_goes_on_and_tells_the_gap() -> None:
    gaps: list[int | None] = []
    with embedded_redis() as url, Gateway(url).run() as gateway:
        async with connected_bus(url) as bus:
            hearing = Hearing(moods(gateway.url, on_gap=gaps.append))
            await publish_until(bus, hearing, 1)
            gateway.stop()
            del hearing.heard[:]
            await asyncio.to_thread(gateway.start)
            expected = await publish_until(bus, hearing, 3)
            await hearing.stop()
    assert [event.id for event in hearing.heard] == expected
    assert gaps == [None]


class Line:
    """The way to a gateway, which can be cut."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self.port = gateway, free_port()
        self._writers: set[asyncio.StreamWriter] = set()
        self.whole = True

    async def __aenter__(self) -> "Line":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.whole:
            writer.transport.abort()
            return
        there = await asyncio.open_connection("127.0.0.1", self._gateway.port)
        self._writers |= {writer, there[1]}
        await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer), return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()


async def test_what_happened_while_the_line_was_cut_is_heard_later_without_a_gap(gateway: Gateway) -> None:
    gaps: list[int | None] = []
    async with connected_bus(gateway.redis_url) as bus, Line(gateway) as line:
        hearing = Hearing(moods(f"http://127.0.0.1:{line.port}", on_gap=gaps.append))
        expected = await publish_until(bus, hearing, 2)
        line.whole = False
        line.cut()
        missed = [mood_changed(Mood.HAPPY, new_session()) for _ in range(50)]
        for mood in missed:
            await bus.publish(mood)
        await asyncio.sleep(0.5)
        line.whole = True
        async with asyncio.timeout(15):
            while len(hearing.heard) < 52:
                await asyncio.sleep(0.02)
        await hearing.stop()
    assert [event.id for event in hearing.heard] == expected + [mood.id for mood in missed]
    assert gaps == []


async def test_a_connection_to_redis_that_is_cut_loses_nothing(gateway: Gateway) -> None:
    async with connected_bus(gateway.redis_url) as bus:
        hearing = Hearing(moods(gateway.redis_url))
        expected = await publish_until(bus, hearing, 2)
        more = [mood_changed(Mood.HAPPY, new_session()) for _ in range(20)]
        for number, mood in enumerate(more):
            if number % 5 == 0:
                with connected(gateway.redis_url) as client:
                    client.client_kill_filter(_type="normal", skipme=True)
            await bus.publish(mood)
        async with asyncio.timeout(15):
            while len(hearing.heard) < 22:
                await asyncio.sleep(0.02)
        await hearing.stop()
    assert [event.id for event in hearing.heard] == expected + [mood.id for mood in more]


async def test_it_waits_for_a_server_that_is_not_there_yet() -> None:
    gateway = Gateway("unix:///nonexistent/redis.sock", port=free_port())
    hearing = Hearing(moods(gateway.url))
    await asyncio.sleep(0.5)
    with embedded_redis() as url:
        gateway.redis_url = url
        with gateway.run():
            async with connected_bus(url) as bus:
                await publish_until(bus, hearing, 1)
    await hearing.stop()


async def test_a_password_that_is_wrong_is_one_line(redis_url: str) -> None:
    with connected(redis_url) as client:
        client.acl_setuser("default", enabled=True, nopass=False, passwords=["+secret"])
        client.acl_setuser("reader", enabled=True, passwords=["+secret"], commands=["+xread"], keys=["mood:moods"])
    for user, words in ((":other", "wants another user name or password$"), ("reader:secret", "no permissions to run")):
        url = redis_url.replace("unix://", f"unix://{user}@")
        with pytest.raises(MoodstreamError, match=words) as caught:
            await anext(moods(url))
        assert "\n" not in str(caught.value)
        assert user not in str(caught.value)


async def test_a_wrong_prefix_is_warned_of_and_waited_for(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    hearing = Hearing(moods(redis_url, prefix="north:"))
    async with asyncio.timeout(5):
        while not caplog.records:
            await asyncio.sleep(0.02)
    await hearing.stop()
    assert caplog.messages == [f"{redis_url}: nothing here has the prefix 'north:' yet; waiting for it"]


async def test_an_outage_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "unix:///nonexistent/redis.sock"):
        caplog.clear()
        hearing = Hearing(moods(url))
        await asyncio.sleep(2)
        await hearing.stop()
        assert [message.partition(": ")[0] for message in caplog.messages] == [url]


async def test_what_can_never_work_is_one_line(gateway: Gateway) -> None:
    for url, types, filters, words in (
        ("ftp://x", (), (), "must begin with"),
        (gateway.url, ("Mood",), (), "no type of event"),
        (gateway.url, (), ("bored",), "no mood"),
        (gateway.url + "/nowhere", (), (), "nowhere: this is not the page of a Moodstream"),
        (gateway.url + "/docs/events.html?", (), (), "this is not the page of a Moodstream"),
        ("http://ann:secret@127.0.0.1:page", (), (), "^http://127.0.0.1:page: this address cannot be right"),
    ):
        with pytest.raises(MoodstreamError, match=words):
            await anext(events(url, types=types, moods=filters))
        with pytest.raises(MoodstreamError, match=words):
            await asyncio.to_thread(next, iter_events(url, types=types, moods=filters))
