"""Pictures from a browser: taken in one at a time, refused when they are none, and announced like any camera."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from moodstream.contracts.events import RequestMade
from moodstream.contracts.requests import PauseCamera
from services.cli.run.embedded_redis import embedded_redis
from services.gateway.pictures.browser_camera import MAX_BYTES, PAUSE_EVERY_S
from services.gateway.pictures.guest_frames import FrameGate
from shared.bus.connection import Bus
from tests.support.gateways import JPEG, Gateway, answer, frames_of, states_of

PACE_S = 0.08
"""Slower than the most that is taken in."""


@asynccontextmanager
async def camera(gateway: Gateway, **options: Any) -> AsyncIterator[tuple[ClientConnection, str]]:
    async with connect(f"ws://127.0.0.1:{gateway.port}/api/v1/frames", **options) as socket:
        hello = json.loads(await socket.recv())
        assert hello["frame_rate"] == 10
        yield socket, hello["camera_id"]


async def shoot(socket: ClientConnection, picture: bytes) -> dict[str, Any]:
    await socket.send(picture)
    said: dict[str, Any] = json.loads(await socket.recv())
    return said


async def test_pictures_become_frames(bus: Bus, gateway: Gateway) -> None:
    async with camera(gateway) as (socket, camera_id):
        for _ in range(3):
            assert await shoot(socket, JPEG) == {"accepted": True, "code": None, "reason": None}
            await asyncio.sleep(PACE_S)
        frames = await frames_of(bus, camera_id)
    assert [frame.seq for frame in frames] == [0, 1, 2]
    assert frames[0].jpeg == JPEG
    assert len({frame.run_id for frame in frames}) == 1
    assert frames[0].captured_at < frames[1].captured_at


async def test_a_camera_comes_and_goes_as_others_do(bus: Bus, gateway: Gateway) -> None:
    async with camera(gateway) as (socket, camera_id):
        await shoot(socket, JPEG)
        assert await states_of(bus, camera_id, 1) == [("online", "browser")]
    assert (await states_of(bus, camera_id, 2))[1] == ("offline", "end_of_input")


async def test_the_local_camera_is_asked_to_rest(bus: Bus, gateway: Gateway) -> None:
    resting = await answer(bus, "camera.pause")
    async with camera(gateway) as (socket, _):
        await asyncio.sleep(0.3)
        assert not resting.done(), "who sends no picture keeps no camera resting"
        await shoot(socket, JPEG)
        assert (await resting).body == {"camera_id": "camera-1", "seconds": 10}


async def rests_asked_for(bus: Bus, within_s: float) -> list[Any]:
    """How long cameras shall rest, as it is asked from now on."""
    start, asked = await bus.last_id(RequestMade), list[Any]()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            async for entry in bus.follow({RequestMade: start}, block_ms=200):
                if entry and isinstance(entry[1], RequestMade) and entry[1].kind == PauseCamera.KIND:
                    asked.append(entry[1].body["seconds"])
    return asked


@pytest.mark.parametrize("pictures", [0, 1])
async def test_whoever_leaves_at_once_keeps_no_camera_resting(bus: Bus, gateway: Gateway, pictures: int) -> None:
    """At any moment: it is just then that the local camera is asked to rest for the first time."""
    for number in range(24):
        async with camera(gateway) as (socket, _):
            for _ in range(pictures):
                await shoot(socket, JPEG)
            await asyncio.sleep(number / 4_000)
    await asyncio.sleep(0.5)
    assert await rests_asked_for(bus, PAUSE_EVERY_S + 1.5) == []


@pytest.mark.parametrize("picture", [b"", b"\xff\xd8", b"<html></html>", b"\x89PNG\r\n\x1a\n" + b"0" * 100])
async def test_what_is_no_jpeg_is_refused_and_the_next_picture_taken(
    picture: bytes, bus: Bus, gateway: Gateway
) -> None:
    async with camera(gateway) as (socket, camera_id):
        refused = {"accepted": False, "code": "no_jpeg", "reason": "this is no JPEG picture"}
        assert await shoot(socket, picture) == refused
        assert (await shoot(socket, JPEG))["accepted"] is True
        assert len(await frames_of(bus, camera_id)) == 1


async def test_more_than_fifteen_a_second_are_dropped(gateway: Gateway) -> None:
    async with camera(gateway) as (socket, _):
        begun = time.monotonic()
        for _ in range(40):
            await socket.send(JPEG)
        answers = [json.loads(await socket.recv()) for _ in range(40)]
        seconds = time.monotonic() - begun
    taken = [answer["accepted"] for answer in answers]
    assert taken[0] is True
    assert {answer["code"] for answer in answers} == {None, "too_fast"}
    assert sum(taken) <= 1 + 15 * seconds


def test_the_gate_lets_in_at_most_the_rate() -> None:
    gate = FrameGate()
    taken = [gate.refusal(JPEG, now=tick / 100) is None for tick in range(1_000)]
    assert 130 <= sum(taken) <= 150


async def test_a_picture_that_is_too_big_ends_the_connection(bus: Bus, gateway: Gateway) -> None:
    async with camera(gateway) as (socket, camera_id):
        await socket.send(JPEG + bytes(MAX_BYTES))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        assert await frames_of(bus, camera_id) == []


async def test_words_instead_of_pictures_end_the_connection(gateway: Gateway) -> None:
    async with camera(gateway) as (socket, _):
        await socket.send("hello")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1003


async def test_pages_of_other_sites_may_send_nothing(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with camera(gateway, additional_headers={"Origin": "https://evil.example"}):
            pass
    assert refused.value.response.status_code == 403


async def test_the_page_itself_may(gateway: Gateway) -> None:
    async with camera(gateway, additional_headers={"Origin": gateway.url}) as (socket, _):
        assert (await shoot(socket, JPEG))["accepted"] is True


async def test_one_browser_too_many_is_told_so(gateway: Gateway) -> None:
    async with camera(gateway) as a, camera(gateway) as b, camera(gateway) as c, camera(gateway) as d:
        for socket, _ in (a, b, c, d):
            await shoot(socket, JPEG)
        with pytest.raises(ConnectionClosed) as closed:
            async with camera(gateway):
                pass
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


async def test_it_can_be_switched_off() -> None:
    off = {"MOODSTREAM_BROWSER_CAMERA": "false"}
    with embedded_redis() as url, Gateway(url, off).run() as gateway, pytest.raises(InvalidStatus):
        async with camera(gateway):
            pass
