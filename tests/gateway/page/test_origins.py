"""Pages of other sites in a real browser: those on the list do what visitors do, all others do nothing."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from services.cli.run.embedded_redis import embedded_redis
from services.gateway.origins import parse_origins
from tests.support.gateways import Gateway

TOKEN = secrets.token_urlsafe(18)

TRY_ALL = """async ([url, token]) => {
    const api = url + "/api/v1";
    const asked = (path, options) => fetch(api + path, options).then((answer) => answer.status, () => "refused");
    const json = {"Content-Type": "application/json"};
    const opened = (thing) => new Promise((done) => {
        thing.onopen = () => { thing.close(); done("open"); };
        thing.onerror = () => { thing.close(); done("refused"); };
    });
    const operator = {headers: {Authorization: "Bearer " + token, ...json}};
    return {
        reads: await asked("/state"),
        chooses: await asked("/feedback", {method: "POST", headers: json, body: '{"kind": "skip"}'}),
        resumes: await asked("/state", {headers: {"Last-Event-ID": "1-0"}}),
        listens: await opened(new EventSource(api + "/events")),
        connects: await opened(new WebSocket(api.replace("http", "ws") + "/events/ws")),
        looksIn: await asked("/operator/status", operator),
        commands: await asked("/operator/opening", {...operator, method: "POST", body: "{}"}),
        remembered: await asked("/state", {credentials: "include"}),
    };
}"""
"""What a page gets: a status, "open" or "refused" (the browser hands it nothing)."""

VISITOR = ("reads", "chooses", "resumes", "listens", "connects")


@contextmanager
def another_site() -> Iterator[str]:
    """An origin of its own with an empty page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>another site</title>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[str, str]]:
    """One that is on the list, and one that is not."""
    with another_site() as friend, another_site() as stranger:
        yield friend, stranger


@pytest.fixture(scope="module")
def gateway(sites: tuple[str, str]) -> Iterator[Gateway]:
    given = {"MOODSTREAM_ORIGINS": f"{sites[0]} https://panel.example", "MOODSTREAM_OPERATOR_TOKEN": TOKEN}
    with embedded_redis() as url, Gateway(url, given).run() as running:
        yield running


async def tried(chromium: Browser, site: str, gateway: Gateway) -> dict[str, Any]:
    page = await chromium.new_page()
    try:
        await page.goto(site)
        return dict(await page.evaluate(TRY_ALL, [gateway.url, TOKEN]))
    finally:
        await page.close()


async def test_a_listed_site_does_what_visitors_do_and_no_more(
    chromium: Browser, sites: tuple[str, str], gateway: Gateway
) -> None:
    got = await tried(chromium, sites[0], gateway)
    assert {name: got[name] for name in VISITOR} == {
        "reads": 200,
        "chooses": 202,
        "resumes": 200,
        "listens": "open",
        "connects": "open",
    }
    assert {got[name] for name in ("looksIn", "commands", "remembered")} == {"refused"}


async def test_a_site_that_is_not_listed_gets_nothing(
    chromium: Browser, sites: tuple[str, str], gateway: Gateway
) -> None:
    assert set((await tried(chromium, sites[1], gateway)).values()) == {"refused"}


@pytest.mark.parametrize(("site", "path", "shown"), [(0, "/", True), (1, "/", False), (0, "/operator", False)])
async def test_the_visitors_page_alone_is_framed_and_by_listed_sites_alone(
    chromium: Browser, sites: tuple[str, str], gateway: Gateway, site: int, path: str, shown: bool
) -> None:
    context = await chromium.new_context(http_credentials={"username": "any", "password": TOKEN})
    page = await context.new_page()
    try:
        await page.goto(sites[site])
        await page.evaluate(
            """(url) => new Promise((done) => {
                const frame = document.createElement("iframe");
                frame.onload = done;
                frame.src = url;
                document.body.append(frame);
            })""",
            gateway.url + path,
        )
        [framed] = page.frames[1:]
        assert (framed.url == gateway.url + path) is shown, framed.url
    finally:
        await context.close()


@pytest.mark.parametrize("origin", ["null", "{friend}.evil.example", "{friend}/", "HTTPS://PANEL.EXAMPLE.", "*"])
async def test_what_only_looks_like_a_listed_site_is_refused(
    sites: tuple[str, str], gateway: Gateway, client: httpx.AsyncClient, origin: str
) -> None:
    headers = {"Origin": origin.replace("{friend}", sites[0])}
    reply = await client.post("/api/v1/feedback", json={"kind": "skip"}, headers=headers)
    assert reply.status_code == 403
    for method in ("GET", "OPTIONS"):
        asked = {"Access-Control-Request-Method": "POST"} if method == "OPTIONS" else {}
        assert (
            "access-control-allow-origin"
            not in (await client.request(method, "/api/v1/state", headers=headers | asked)).headers
        )


async def test_the_operators_part_is_closed_to_listed_sites_whatever_they_send(
    sites: tuple[str, str], client: httpx.AsyncClient
) -> None:
    headers = {"Origin": sites[0], "Authorization": f"Bearer {TOKEN}"}
    for method, path in (("GET", "/status"), ("POST", "/opening"), ("POST", "/self-test")):
        assert (await client.request(method, f"/api/v1/operator{path}", headers=headers)).status_code == 403
    page = await client.get("/operator", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "panel.example" not in page.headers["content-security-policy"]


def test_origins_are_read_as_browsers_name_them() -> None:
    text = "http://homeassistant.local:8123,https://Panel.example:443  http://[fd00::5]:80 http://10.0.0.5"
    assert parse_origins(text) == {
        "http://homeassistant.local:8123",
        "https://panel.example",
        "http://[fd00::5]",
        "http://10.0.0.5",
    }
    assert parse_origins(" ") == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "*",
            "null",
            "panel.example",
            "https://",
            "https://*.example",
            "https://panel.example/",
            "ftp://panel.example",
        ),
        *("https://me@panel.example", "https://panel.example:0", "https://panel.example:70000", "https://a;script-src"),
        "https://panel.example?x",
    ],
)
def test_what_is_no_origin_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no origin|any page there is") as caught:
        parse_origins(text)
    assert "\n" not in str(caught.value)
