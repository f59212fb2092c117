"""The operator's look through a camera, over HTTP: announced, counted, for the operator alone, over when it is over."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from moodstream.contracts.events import StatusChanged, utc_now
from services.cli.run.embedded_redis import embedded_redis
from shared.bus.connection import Bus
from shared.contracts.mounting_view import PICTURE, WANTED, WATCHED, MountingPicture, ViewFigures, ViewWanted
from tests.support.gateways import Gateway, listening, state_where
from tests.support.page.site import TOKEN
from tests.support.scenes import CAMERA

OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
SETTINGS = {"MOODSTREAM_OPERATOR_TOKEN": TOKEN, "MOODSTREAM_REQUESTS_PER_S": "0"}
VIEW = "/api/v1/operator/view"
KEYS = (WANTED, WATCHED, PICTURE)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url, SETTINGS).run() as running:
        yield running


@pytest.fixture
async def operator(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, headers=OPERATOR, timeout=20) as client:
        yield client


def picture(camera_id: str = CAMERA) -> MountingPicture:
    figures = ViewFigures(
        size=(640, 480), light=90, contrast=40, sharpness=80, best_px=(48, 240), best_m=(0.3, 1.6), faces=()
    )
    return MountingPicture(camera_id=camera_id, captured_at=utc_now(), preview="outline", figures=figures, png="iVBO")


async def left(bus: Bus) -> list[str]:
    return [key for key in KEYS if await bus.redis.exists(bus.key(key))]


async def start(operator: httpx.AsyncClient) -> dict[str, Any]:
    answered = await operator.post(VIEW, json={"camera_id": CAMERA})
    assert answered.status_code == 200, answered.text
    result: dict[str, Any] = answered.json()["result"]
    return result


async def test_it_is_announced_to_everybody_while_it_runs_and_ends_when_the_operator_stops(
    bus: Bus, client: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    async with listening(client) as messages:
        assert (await anext(messages)).data["view"] is None
        begun = await start(operator)
        assert (begun["camera_id"], begun["preview"]) == (CAMERA, "outline")
        async with asyncio.timeout(5):
            assert (await anext(messages)).data["view"] == begun, "before anything else"
        wanted = ViewWanted.model_validate_json(await bus.redis.get(bus.key(WANTED)))
        assert 100_000 < await bus.redis.pttl(bus.key(WANTED)) <= 120_000
        assert (await operator.get(VIEW)).json()["result"]["picture"] is None
        await bus.redis.set(bus.key(PICTURE), picture().model_dump_json())
        looked = (await operator.get(VIEW)).json()["result"]
        assert looked["picture"] == picture().model_dump(mode="json") | {
            "captured_at": looked["picture"]["captured_at"]
        }
        assert looked["view"]["until"] == begun["until"] == wanted.until.isoformat()
        await bus.redis.set(bus.key(PICTURE), picture("door").model_dump_json())
        assert (await operator.get(VIEW)).json()["result"]["picture"] is None, "of another camera"
        more = picture().model_copy(update={"preview": "picture"})
        await bus.redis.set(bus.key(PICTURE), more.model_dump_json())
        assert (await operator.get(VIEW)).json()["result"]["picture"] is None, "more than visitors are told"
        assert (await operator.delete(VIEW)).is_success
        assert await left(bus) == []
        async with asyncio.timeout(5):
            while (message := await anext(messages)).event != "snapshot" or message.data["view"] is not None:
                pass
        await bus.redis.set(bus.key(PICTURE), picture().model_dump_json(), px=500)
        assert (await operator.get(VIEW)).json()["result"] == {"view": None, "picture": None}, "it is over"
    codes = [one.code for one in await bus.newest(StatusChanged, 2) if isinstance(one, StatusChanged)]
    assert codes == ["view_ended", "view"]


async def test_it_is_counted(operator: httpx.AsyncClient) -> None:
    async def counts() -> tuple[int, float]:
        days = (await operator.get("/api/v1/operator/status")).json()["result"]["consents"]
        lines = (await operator.get("/metrics")).text.splitlines()
        return days[0]["viewed"], float(
            next(line for line in lines if line.startswith("moodstream_views_total")).split()[1]
        )

    day, metric = await counts()
    await start(operator)
    assert "moodstream_view_running 1.0" in (await operator.get("/metrics")).text
    await start(operator)
    await operator.delete(VIEW)
    assert await counts() == (day + 2, metric + 2)


async def test_it_ends_by_itself_when_nobody_watches(
    bus: Bus, client: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await start(operator)
    assert 0 < await bus.redis.pttl(bus.key(WATCHED)) <= 8_000
    await bus.redis.delete(bus.key(WATCHED))  # as if eight seconds had passed
    await state_where(client, lambda state: state["view"] is None)
    assert await left(bus) == []


async def test_what_another_gateway_begins_is_announced_here_too(
    gateway: Gateway, client: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    with Gateway(gateway.redis_url, SETTINGS).run() as other:
        async with httpx.AsyncClient(base_url=other.url, headers=OPERATOR, timeout=20) as there:
            await start(operator)
            await state_where(there, lambda state: state["view"] and state["view"]["camera_id"] == CAMERA)
            assert (await there.delete(VIEW)).is_success
            await state_where(client, lambda state: state["view"] is None)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_nobody_but_the_operator_looks(client: httpx.AsyncClient, bus: Bus, method: str) -> None:
    asked = await client.request(method, VIEW, json={"camera_id": CAMERA} if method == "POST" else None)
    assert asked.status_code == 401
    foreign = OPERATOR | {"Origin": "https://elsewhere.example"}
    assert (await client.request(method, VIEW, headers=foreign)).status_code == 403
    assert await left(bus) == []


async def test_cameras_that_nobody_looks_through(bus: Bus, operator: httpx.AsyncClient) -> None:
    assert (await operator.post(VIEW, json={"camera_id": "none"})).status_code == 404
    await bus.publish(StatusChanged(service="gateway", part="browser-1", state="online", code="browser"))
    async with asyncio.timeout(5):
        while "browser-1" not in (await operator.get("/api/v1/operator/status")).json()["result"]["cameras"]:
            await asyncio.sleep(0.05)
    refused = await operator.post(VIEW, json={"camera_id": "browser-1"})
    assert (refused.status_code, "own device" in refused.json()["error"]) == (409, True)
    assert await left(bus) == []


async def test_off_is_off() -> None:
    off = SETTINGS | {"MOODSTREAM_PREVIEW": "off"}
    with embedded_redis() as url, Gateway(url, off).run() as running:
        async with httpx.AsyncClient(base_url=running.url, headers=OPERATOR) as operator:
            refused = await operator.post(VIEW, json={"camera_id": CAMERA})
    assert (refused.status_code, "MOODSTREAM_PREVIEW" in refused.json()["error"]) == (409, True)
