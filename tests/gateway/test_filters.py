"""Listeners that want only some events, over server-sent events and WebSockets; many of them at once."""

import asyncio
import contextlib
import json
from collections import Counter
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from moodstream.contracts.events import MoodChanged
from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, connected_bus, messages_of
from tests.support.scenes import mood_changed, new_session, offered, playing

EVENTS = "/api/v1/events"
MAX_MB = 400


def socket_url(gateway: Gateway, query: str = "") -> str:
    return f"ws://127.0.0.1:{gateway.port}{EVENTS}/ws{query}"


async def heard(socket: Any, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [json.loads(await socket.recv()) for _ in range(count)]


async def test_type_camera_and_mood_are_filtered_and_an_id_resumes(
    gateway: Gateway, bus: Bus, client: httpx.AsyncClient
) -> None:
    query = "?type=MoodChanged&type=SongsOffered&camera=hall&mood=happy"
    async with connect(socket_url(gateway, query)) as socket, client.stream("GET", EVENTS + query) as stream:
        lines = messages_of(stream)
        assert (await heard(socket, 1))[0]["event"] == (await anext(lines)).event == "snapshot"
        wanted = mood_changed(Mood.HAPPY, new_session(), camera_id="hall")
        await bus.publish(wanted)
        await bus.publish(mood_changed(Mood.HAPPY, new_session(), camera_id="yard"))
        await bus.publish(mood_changed(Mood.SAD, new_session(), camera_id="hall"))
        await bus.publish(playing())
        again = mood_changed(Mood.HAPPY, new_session(), camera_id="hall")
        offer = offered(again)
        await bus.publish(again)
        first, second = await heard(socket, 2)
        await bus.publish(offer)
        (third,) = await heard(socket, 1)
        assert [one["data"]["id"] for one in (first, second, third)] == [wanted.id, again.id, offer.id]
        assert [(await anext(lines)).data["id"] for _ in range(3)] == [wanted.id, again.id, offer.id]
    async with connect(socket_url(gateway, f"{query}&last_id={first['id']}")) as socket:
        assert [one["data"]["id"] for one in await heard(socket, 2)] == [again.id, offer.id]
    async with connect(socket_url(gateway, "?last_id=0badcafe-1")) as socket:
        gap, snapshot = await heard(socket, 2)
        assert (gap["event"], gap["data"], snapshot["event"]) == ("gap", {"missed": None}, "snapshot")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?type=Mood", "MoodChanged"),
        ("?mood=bored", "angry"),
        ("?camera=", "camera"),
        ("?colour=red", "colour"),
        ("?" + "&".join(f"camera={n}" for n in range(21)), "at most 20"),
    ],
)
async def test_wrong_filters_are_told(gateway: Gateway, client: httpx.AsyncClient, query: str, words: str) -> None:
    reply = await client.get(EVENTS + query)
    assert reply.status_code == 422
    assert words in reply.json()["error"]
    with pytest.raises(InvalidStatus) as caught:
        async with connect(socket_url(gateway, query)):
            pass
    assert caught.value.response.status_code == 422
    assert words in json.loads(caught.value.response.body or b"")["error"]


async def test_pages_of_other_sites_do_not_listen(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(socket_url(gateway), origin="https://elsewhere.example"):  # type: ignore[arg-type]
            pass
    assert caught.value.response.status_code == 403


async def test_two_hundred_listeners_lose_nothing_in_little_memory(gateway: Gateway, bus: Bus) -> None:
    """10 events a second for 3 s, to 100 listeners by server-sent events and 100 by WebSocket."""
    sent = [mood_changed(Mood.HAPPY, new_session(), confidence=0.5 + number / 100) for number in range(30)]
    ready = asyncio.Semaphore(0)

    async def by_websocket() -> list[str]:
        async with connect(socket_url(gateway, "?type=MoodChanged")) as socket:
            await heard(socket, 1)
            ready.release()
            return [json.loads(await socket.recv())["data"]["id"] for _ in sent]

    async def by_events() -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(f"GET {EVENTS}?type=MoodChanged HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"event: snapshot")
        ready.release()
        ids: list[str] = []
        with contextlib.closing(writer):
            while len(ids) < len(sent):
                line = await reader.readline()
                if line.startswith(b'data: {"id"'):
                    ids.append(json.loads(line.removeprefix(b"data: "))["id"])
        return ids

    async with asyncio.timeout(45):
        listeners = [asyncio.create_task(kind()) for kind in (by_websocket, by_events) for _ in range(100)]
        for _ in listeners:
            await ready.acquire()
        for event in sent:
            await bus.publish(event)
            await asyncio.sleep(0.1)
        assert await asyncio.gather(*listeners) == [[event.id for event in sent]] * 200
    assert gateway.memory_mb() < MAX_MB


async def test_of_a_crowd_that_comes_at_once_a_thousand_are_let_in_and_the_others_are_told() -> None:
    """Most of them never read what they are sent."""
    crowded = {"MOODSTREAM_LISTENERS_PER_ADDRESS": "2000"}
    with embedded_redis() as url, Gateway(url, crowded).run() as gateway:
        async with connected_bus(url) as bus, httpx.AsyncClient(base_url=gateway.url, timeout=60) as client:
            crowd = await asyncio.gather(*(knock(gateway) for _ in range(1_200)))
            statuses = Counter(status for status, _ in crowd)
            assert statuses == {200: 1_000, 503: 200}
            assert "1000 listen already" in (await client.get(EVENTS)).json()["error"]
            with pytest.raises(InvalidStatus, match="503"):
                async with connect(socket_url(gateway), open_timeout=60):
                    pass
            for _ in range(20):
                await bus.publish(mood_changed(Mood.HAPPY, new_session()))
            assert (await client.get("/api/v1/state")).status_code == 200
            assert gateway.memory_mb() < MAX_MB
            for _, writer in crowd:
                writer.close()
            async with asyncio.timeout(30):
                while True:  # their places are free again
                    async with client.stream("GET", EVENTS) as stream:
                        if stream.status_code == 200:
                            break
                    await asyncio.sleep(0.2)


async def knock(gateway: Gateway) -> tuple[int, asyncio.StreamWriter]:
    """Ask for the events; the status, and a connection that stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    async with asyncio.timeout(60):
        return int((await reader.readline()).split()[1]), writer


async def test_one_that_never_reads_slows_nobody_costs_little_and_is_told_what_it_missed() -> None:
    events = [mood_changed(Mood.HAPPY, new_session(), model="x" * 12_000) for _ in range(2_000)]
    with embedded_redis() as url, Gateway(url).run() as gateway:
        async with (
            connected_bus(url) as bus,
            connect(socket_url(gateway), sock=gateway.connect_narrowly(), max_queue=1, compression=None) as slow_socket,
        ):
            reader, writer = await asyncio.open_connection(sock=gateway.connect_narrowly())
            writer.write(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            before_mb = gateway.memory_mb()
            quick: list[str] = []

            async def read() -> None:
                async with connect(socket_url(gateway, "?type=MoodChanged")) as socket:
                    await heard(socket, 1)
                    ready.set()
                    while len(quick) < len(events):
                        quick.append(json.loads(await socket.recv())["data"]["id"])

            ready = asyncio.Event()
            reading = asyncio.create_task(read())
            await ready.wait()
            for begin in range(0, len(events), 100):
                async with bus.redis.pipeline(transaction=False) as many:
                    for event in events[begin : begin + 100]:
                        many.xadd(bus.stream(MoodChanged), {"__data__": event.model_dump_json()})
                    await many.execute()
                while begin - len(quick) > 100:
                    await asyncio.sleep(0.01)
            async with asyncio.timeout(60):
                await reading
                assert quick == [event.id for event in events]
                assert gateway.memory_mb() - before_mb < 100
                missed = await gap_on(slow_socket)
                while not (line := await reader.readline()).startswith(b"event: gap"):
                    assert line
                told = json.loads((await reader.readline()).removeprefix(b"data: "))
            writer.close()
    assert 1_000 < missed < 2_000
    assert 1_000 < told["missed"] < 2_000


async def gap_on(listener: Any) -> int:
    while True:
        message = json.loads(await listener.recv())
        if message["event"] == "gap":
            return int(message["data"]["missed"])
