"""Every door by its path and method, and what stands before it: a new one that is in no row here fails."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.routing import APIWebSocketRoute
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from services.gateway.api import create_api
from services.gateway.main import GatewaySettings, create_context, create_service
from services.gateway.routes.events import EventRoutes
from services.gateway.routes.operator import OperatorRoutes
from services.gateway.routes.site import SiteRoutes
from services.gateway.routes.visitor import VisitorRoutes
from shared.app.host_guard import HostGuard
from shared.app.request_guard import RequestGuard
from shared.app.service import create_bus
from shared.host_names import HostNames
from shared.settings import load
from tests.support.page.site import TOKEN

NOWHERE = "redis://127.0.0.1:1/0"

READ = ["/events", "/state", "/status", "/moods/current", "/moods", "/sessions", "/feedback", "/songs/offer", "/player"]
READ += ["/songs/similar", "/songs/next", "/songs/mood", "/songs/path", "/songs/search", "/qr"]
CHANGE = ["/picks", "/moods", "/words", "/sessions/end", "/feedback", "/player", "/consents", "/offers", "/frames"]
CHANGE += ["/voices", "/commands"]
OPERATOR = ["/operator/status", "/operator/history", "/operator/self-test", "/operator/opening", "/operator/view"]
OPERATOR += ["/operator/learned", "/operator/settings", "/operator/audit", "/operator/block", "/operator/song-mood"]
OPERATOR += ["/operator/report", "/operator/report.csv", "/operator/import", "/operator/address", "/operator/look"]
OPERATOR += ["/operator/alerts", "/operator/alerts/test", "/operator/upkeep", "/operator/upkeep/restart"]
UPLOADS = ["/operator/import/table", "/operator/import/music", "/operator/look/logo", "/operator/upkeep/backup"]
SOCKETS = ["/events/ws", "/frames"]
PAGES = ["/", "/static", "/static/font.ttf", "/docs", "/docs/{name:path}", "/operator", "/operator/sign"]
PAGES += ["/operator/staff", "/operator/settings", "/operator/songs", "/operator/report", "/operator/setup"]
PAGES += ["/operator/look", "/look", "/operator/care"]
PAGES += ["/cover/{path:path}", "/music/{path:path}"]

KINDS = {
    "control characters": "a\x1b[2J\n",
    "wildcards": "+/#",
    "a path": "../../etc/passwd",
    "too long": "x" * 5_000,
    "nothing": "",
    "a number": 7,
    "true": True,
    "a list": ["a"],
    "an object": {"$ne": 1},
    "null bytes": "\x00",
    "turned around": "\u202egnp",
}
FIELDS = (
    "camera_id",
    "offer_id",
    "song_id",
    "mood",
    "kind",
    "profile",
    "command",
    "percent",
    "device",
    "choice",
    "open",
)


def method_of(path: str) -> str:
    """Of a door of the operator."""
    if path in UPLOADS:
        return "PUT"
    return (
        "GET"
        if path.endswith(("status", "history", "learned", "settings", "audit", "report", "csv", "address", "upkeep"))
        else "POST"
    )


def settings() -> GatewaySettings:
    return load(GatewaySettings, redis_url=NOWHERE, requests_per_s=0, operator_token=TOKEN, voice="free")


def test_every_door_of_the_gateway_stands_in_a_row() -> None:
    given = settings()
    context = create_context(given, create_bus(given))
    paths = create_api(context).openapi()["paths"]
    found = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    expected = {("GET", path) for path in READ} | {("POST", path) for path in CHANGE} | {("DELETE", "/feedback")}
    expected |= {(method_of(path), path) for path in OPERATOR}
    expected |= {("GET", "/operator/view"), ("DELETE", "/operator/view"), ("DELETE", "/operator/learned")}
    expected |= {("PATCH", "/operator/settings")} | {("PUT", path) for path in UPLOADS}
    expected |= {("GET", "/operator/import"), ("DELETE", "/operator/import"), ("GET", "/operator/import/music")}
    expected |= {("DELETE", "/operator/import/music"), ("GET", "/operator/look"), ("DELETE", "/operator/look/logo")}
    expected |= {("GET", "/operator/alerts"), ("GET", "/operator/upkeep/backup")}
    assert found == expected
    routers = [kind(context).router() for kind in (EventRoutes, SiteRoutes, VisitorRoutes, OperatorRoutes)]
    routes = [route for router in routers for route in router.routes]
    assert sorted(route.path for route in routes if isinstance(route, APIWebSocketRoute)) == sorted(SOCKETS)
    service = create_service(given, create_bus(given))
    assert sorted(route.path for route in service.routes if isinstance(route, Route | Mount)) == sorted(
        ["/api/v1", *PAGES]
    )


@pytest.fixture(scope="module")
def guarded() -> ASGIApp:
    """The gateway with all its guards, without a server; nothing is connected."""
    given = settings()
    service = create_service(given, create_bus(given))
    app = Starlette(routes=list(service.routes))
    return HostGuard(RequestGuard(app, 0, service.costs), HostNames([]))


@pytest.fixture
async def doors(guarded: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", [*(f"/api/v1{path}" for path in (*READ, *CHANGE, *OPERATOR)), "/", "/operator"])
async def test_no_door_answers_another_name(doors: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert (await doors.request(method, path, headers={"Host": "rebound.example"})).status_code == 421


@pytest.mark.parametrize("path", [*CHANGE, *OPERATOR])
async def test_no_door_that_changes_something_is_open_to_other_sites(doors: httpx.AsyncClient, path: str) -> None:
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"):
        answer = await doors.post(f"/api/v1{path}", json={}, headers={"Origin": origin})
        assert answer.status_code == 403, origin


@pytest.mark.parametrize("path", [*OPERATOR, *UPLOADS])
async def test_no_door_of_the_operator_is_open_to_others(doors: httpx.AsyncClient, path: str) -> None:
    for token in ("", "Bearer ", "Bearer wrong", "Basic !!!", f"Bearer {TOKEN}x", "Basic " + "A" * 10_000):
        answer = await doors.request(
            method_of(path),
            f"/api/v1{path}",
            headers={"Authorization": token} if token else {},
        )
        assert answer.status_code in (401, 429), token


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", [path for path in CHANGE if path not in ("/frames", "/voices")])
async def test_no_door_takes_what_it_does_not_know(doors: httpx.AsyncClient, path: str, kind: str) -> None:
    """As one line, and never as an error of our own."""
    for field in FIELDS:
        answer = await doors.post(f"/api/v1{path}", json={field: KINDS[kind]})
        assert 400 <= answer.status_code < 500, (field, answer.text)
        assert "\n" not in answer.json()["error"]
        assert "\x1b" not in answer.text


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"[" * 50_000, b"{" * 9_000, b'{"a":' * 3_000, b"1e999999", b"\x00", b""]
)
@pytest.mark.parametrize("path", CHANGE)
async def test_no_door_breaks_on_a_body_that_is_none(doors: httpx.AsyncClient, path: str, body: bytes) -> None:
    if path == "/sessions/end" and not body:
        return  # it needs none
    query = {"camera": "x"} if path == "/frames" else {}
    answer = await doors.post(
        f"/api/v1{path}", content=body, params=query, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 413, 422), answer.text
    assert list(json.loads(answer.text)) == ["error"]
