"""The operator's page: what it shows, the button that sends a test, and who may not see it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from moodstream.errors import MoodstreamError
from services.bridge.main import BridgeSettings, create_service
from services.bridge.webhooks.outbox import Outbox
from shared.app.service import build_app, create_bus
from shared.settings import load
from shared.web.webhook_secret import new_secret
from tests.support.bridges import Endpoint, endpoint, receivers_file, until

TOKEN = "a-token-of-the-operator"
HTML = {"Accept": "text/html,*/*"}


@contextlib.asynccontextmanager
async def operator(
    redis_url: str, folder: Path, one: Endpoint, at: str = "127.0.0.1", **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the bridge's page that speaks from the address ``at``."""
    hook = {"name": "lights", "url": one.url, "secrets": [new_secret()], "private": True}
    given = load(BridgeSettings, redis_url=redis_url, webhooks=receivers_file(folder, hook), **settings)
    bus = create_bus(given)
    app = build_app(bus, create_service(given, bus))
    async with app.web.router.lifespan_context(app.web):
        await app.ready.wait()
        transport = httpx.ASGITransport(app.web, client=(at, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            yield client


async def test_it_shows_the_receivers_and_sends_a_test(redis_url: str, tmp_path: Path) -> None:
    async with endpoint() as one, operator(redis_url, tmp_path, one) as client:
        page = (await client.get("/bridge", headers=HTML)).text
        assert "lights" in page
        assert one.url in page
        assert 'action="/bridge/webhooks/lights/test"' in page
        assert "whsec_" not in page
        assert "/enable" not in page
        reply = await client.post("/bridge/webhooks/lights/test")
        assert reply.json() == {"name": "lights", "accepted": True, "reason": "status 204"}
        assert one.got[0].json["data"]["code"] == "test"
        one.status = lambda _: (500, "")
        assert (
            "did not accept the test: status 500"
            in (await client.post("/bridge/webhooks/lights/test", headers=HTML)).text
        )
        [state] = (await client.get("/bridge")).json()["webhooks"]
        assert (state["name"], state["waiting"], state["disabled"]) == ("lights", 0, "")
        for path in ("none/test", "lights/dance"):
            assert (await client.post(f"/bridge/webhooks/{path}")).status_code == 404
        assert (await client.get("/bridge/webhooks/lights/test")).status_code == 405


async def test_one_that_said_it_is_gone_is_enabled_again(redis_url: str, tmp_path: Path) -> None:
    async with endpoint() as one, operator(redis_url, tmp_path, one) as client:
        bus = create_bus(load(BridgeSettings, redis_url=redis_url))
        await bus.connect()
        await Outbox(bus, "lights").disable(one.url)
        assert "/bridge/webhooks/lights/enable" in (await client.get("/bridge", headers=HTML)).text
        assert (await client.post("/bridge/webhooks/lights/enable")).json() == {"name": "lights", "enabled": True}
        assert await Outbox(bus, "lights").disabled_at() is None
        await bus.close()


async def test_only_the_operator_sees_it(redis_url: str, tmp_path: Path) -> None:
    test = "/bridge/webhooks/lights/test"
    async with endpoint() as one:
        async with operator(redis_url, tmp_path, one, at="192.168.1.9") as client:
            assert (await client.get("/bridge")).status_code == 403
            assert (await client.post(test)).status_code == 403
        async with operator(redis_url, tmp_path, one) as client:
            for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "rebound.example"}):
                assert (await client.post(test, headers=headers)).status_code == 403
        async with operator(redis_url, tmp_path, one, at="192.168.1.9", operator_token=TOKEN) as client:
            refused = await client.get("/bridge")
            assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic")
            for wrong in ("Basic !", "Basic eDp5", "Bearer", "Bearer x", "Bearer " + TOKEN.upper()):
                assert (await client.get("/bridge", headers={"Authorization": wrong})).status_code == 401
            assert one.got == []
            assert (await client.get("/bridge", auth=("anybody", TOKEN))).status_code == 200
            reply = await client.post(test, headers={"Authorization": f"Bearer {TOKEN}"})
            assert reply.json()["accepted"]
            await until(lambda: len(one.got) == 1)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_OPERATOR_TOKEN"):
        load(BridgeSettings, operator_token="short")
