"""The feed on its own: order, gaps, coming back, slow listeners, many listeners, the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

from services.gateway.state.feed import KEEP_ALIVE, RETRY, Feed


def parts(chunk: bytes) -> list[dict[str, str]]:
    """The fields of every message in a chunk."""
    blocks = [block for block in chunk.decode().split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


async def heard(listener: AsyncIterator[bytes], count: int) -> list[dict[str, str]]:
    """The next messages, without the line that says when to come back."""
    messages: list[dict[str, str]] = []
    async with asyncio.timeout(5):
        while len(messages) < count:
            chunk = await anext(listener)
            messages += [] if chunk == RETRY else parts(chunk)
    assert len(messages) == count
    return messages


def feed(kept: int = 10) -> Feed:
    return Feed(lambda: '{"now": 1}', kept)


async def test_a_new_listener_is_shown_the_present_and_then_hears_every_event_in_order() -> None:
    events = feed()
    events.publish("Old", "{}")
    async with aclosing(events.server_sent_events()) as listener:
        (snapshot,) = await heard(listener, 1)
        assert snapshot["event"] == "snapshot"
        assert json.loads(snapshot["data"]) == {"now": 1}
        for number in range(3):
            events.publish("New", f"{number}")
        assert [(one["event"], one["data"]) for one in await heard(listener, 3)] == [
            ("New", "0"),
            ("New", "1"),
            ("New", "2"),
        ]


async def test_who_comes_back_hears_exactly_what_was_missed() -> None:
    events = feed()
    events.publish("A", "1")
    async with aclosing(events.server_sent_events()) as listener:
        (snapshot,) = await heard(listener, 1)
    events.publish("A", "2")
    events.publish("A", "3")
    async with aclosing(events.server_sent_events(snapshot["id"])) as listener:
        missed = await heard(listener, 2)
    assert [one["data"] for one in missed] == ["2", "3"]
    async with aclosing(events.server_sent_events(missed[0]["id"])) as listener:
        assert [one["data"] for one in await heard(listener, 1)] == ["3"]


async def test_who_comes_back_too_late_is_told_how_much_was_missed() -> None:
    events = feed(kept=10)
    async with aclosing(events.server_sent_events()) as listener:
        (snapshot,) = await heard(listener, 1)
    for number in range(11):
        events.publish("A", f"{number}")
    async with aclosing(events.server_sent_events(snapshot["id"])) as listener:
        gap, present = await heard(listener, 2)
        assert (gap["event"], json.loads(gap["data"])) == ("gap", {"missed": 11})
        assert present["event"] == "snapshot"
        events.publish("A", "next")
        assert [one["data"] for one in await heard(listener, 1)] == ["next"]


async def test_an_id_of_another_run_or_of_nothing_is_a_gap_of_unknown_size() -> None:
    events = feed()
    events.publish("A", "1")
    async with aclosing(events.server_sent_events()) as listener:
        run = (await heard(listener, 1))[0]["id"].rpartition("-")[0]
    for foreign in ("0badcafe-1", f"{run}-2", f"{run}-x", f"{run}-" + "9" * 5000, f"{run}-²", "-", "nonsense"):
        async with aclosing(events.server_sent_events(foreign)) as listener:
            gap, present = await heard(listener, 2)
            assert (gap["event"], json.loads(gap["data"])) == ("gap", {"missed": None})
            assert present["event"] == "snapshot"


async def test_a_listener_that_stands_still_loses_events_and_knows_how_many() -> None:
    events = feed(kept=10)
    async with aclosing(events.server_sent_events()) as slow, aclosing(events.server_sent_events()) as quick:
        await heard(slow, 1)
        await heard(quick, 1)
        for number in range(25):
            events.publish("A", f"{number}")
            assert [one["data"] for one in await heard(quick, 1)] == [f"{number}"]
        gap, present = await heard(slow, 2)
        assert (gap["event"], json.loads(gap["data"])) == ("gap", {"missed": 25})
        assert present["event"] == "snapshot"


async def test_two_hundred_listeners_hear_the_same() -> None:
    events = feed(kept=1_000)

    async def listen() -> list[str]:
        async with aclosing(events.server_sent_events()) as listener:
            return [one["data"] for one in (await heard(listener, 101))[1:]]

    listeners = [asyncio.create_task(listen()) for _ in range(200)]
    await asyncio.sleep(0)
    assert events.listeners == 200
    for number in range(100):
        events.publish("A", f"{number}")
        await asyncio.sleep(0)
    everybody = await asyncio.wait_for(asyncio.gather(*listeners), 10)
    assert everybody == [[f"{number}" for number in range(100)]] * 200
    assert events.listeners == 0


async def test_silence_is_filled_with_comments() -> None:
    async with aclosing(feed().server_sent_events(keep_alive_s=0.01)) as listener:
        await heard(listener, 1)
        assert await anext(listener) == KEEP_ALIVE
        assert await anext(listener) == KEEP_ALIVE


async def test_closing_ends_every_stream_at_once() -> None:
    events = feed()

    async def listen() -> int:
        return len([chunk async for chunk in events.server_sent_events()])

    listeners = [asyncio.create_task(listen()) for _ in range(3)]
    await asyncio.sleep(0)
    assert events.listeners == 3
    events.close()
    assert await asyncio.wait_for(asyncio.gather(*listeners, listen()), 1) == [2, 2, 2, 2]
