"""Whether there is a newer version: asked once a day where an address is set, and told once."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from moodstream import __version__
from moodstream.contracts.events import utc_now
from moodstream.errors import MoodstreamError
from services.gateway.site_settings.gateway import GatewaySettings
from services.gateway.upkeep.updates import EVERY, MAX_BYTES, Found, NotTold, Updates, newest_version
from shared.settings import load
from shared.tasks import end_tasks

NEWER = "99.1.0"


@contextlib.contextmanager
def answering(body: bytes, status: int = 200, to: str = "") -> Iterator[tuple[str, list[dict[str, str]]]]:
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            self.send_response(status)
            if to:
                self.send_header("Location", to)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever has asked may have had enough
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/newest", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("told", [{"version": "1.2.3"}, {"info": {"version": "v1.2.3", "name": "moodstream"}}])
async def test_the_answer_is_a_version_or_that_of_pypi_and_the_request_says_nothing(told: object) -> None:
    with answering(json.dumps(told).encode()) as (address, asked):
        assert await newest_version(address, private=True) == "1.2.3"
    [request] = asked
    assert {name: text for name, text in request.items() if name != "host"} == {
        "path": "/newest",
        "accept": "application/json",
        "user-agent": "moodstream",
    }


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"<html>", 200, "its answer is not JSON"),
        (b"\xff\xfe", 200, "its answer is not JSON"),
        (b"[" * 5000, 200, "its answer is not JSON"),
        (b"[]", 200, "its answer has no version"),
        (b'{"version": 3}', 200, "its answer has no version"),
        (b'{"version": "<script>"}', 200, "its answer has no version"),
        (b'{"version": "1.2.3\\n9"}', 200, "its answer has no version"),
        (b'{"info": {"version": "1.0rc1"}}', 200, "its answer has no version"),
        (b" " * (2 * MAX_BYTES), 200, f"the answer has more than {MAX_BYTES} bytes"),
        (b"", 404, "it answered 404"),
    ],
)
async def test_a_false_answer_is_one_line(body: bytes, status: int, why: str) -> None:
    with answering(body, status) as (address, _), pytest.raises(NotTold) as refused:
        await newest_version(address, private=True)
    assert str(refused.value).startswith(why)
    assert "\n" not in str(refused.value)


async def test_nobody_is_led_into_the_own_network() -> None:
    with answering(b'{"version": "9"}') as (inside, found):
        with answering(b"", 302, to=inside) as (address, _), pytest.raises(NotTold, match="not followed"):
            await newest_version(address, private=True)
        with pytest.raises(NotTold, match=r"private address; allow it with MOODSTREAM_UPDATE_PRIVATE=true"):
            await newest_version(inside, private=False)
    assert found == []
    with pytest.raises(NotTold, match=r"no name of a host|not known|resolution|No address|Name or service"):
        await newest_version("https://nowhere.invalid/x", private=False)
    with pytest.raises(NotTold):
        await newest_version("http://127.0.0.1:1/", private=True)


async def looked(updates: Updates) -> None:
    """Run until it has found out, or had the time to."""
    running = asyncio.create_task(updates.run())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while updates.to_json() is None:
                await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    await end_tasks(running)


async def test_it_is_asked_once_a_day_whatever_restarts_and_told(tmp_path: Path) -> None:
    told: list[str] = []

    async def tell(version: str) -> None:
        told.append(version)

    file = tmp_path / "newest-version.json"
    with answering(json.dumps({"version": NEWER}).encode()) as (address, asked):
        for _ in range(2):
            updates = Updates(file, address, tell, private=True)
            await looked(updates)
        assert (len(asked), told) == (1, [NEWER])
        shown = updates.to_json()
        assert shown is not None
        assert (shown["version"], shown["newer"], shown["running"]) == (NEWER, True, __version__)
        old = Found(address=address, at=utc_now() - EVERY - timedelta(seconds=1), version=__version__)
        file.write_text(old.model_dump_json())
        await looked(again := Updates(file, address, tell, private=True))
        assert len(asked) == 2
        again.address = address + "?other"
        assert again.to_json() is None, "what another address has told says nothing"
        await looked(again)
        assert len(asked) == 3
    file.write_text("{")
    await looked(Updates(file, "", tell, private=True))
    assert len(asked) == 3


async def test_the_same_and_an_older_version_are_told_to_nobody(tmp_path: Path) -> None:
    async def tell(version: str) -> None:
        raise AssertionError(version)

    for number, version in enumerate((__version__, "0.0.1", f"{__version__}.0")):
        with answering(json.dumps({"version": version}).encode()) as (address, _):
            updates = Updates(tmp_path / f"{number}.json", address, tell, private=True)
            await looked(updates)
            shown = updates.to_json()
        assert shown is not None
        assert (shown["newer"], shown["fault"]) == (False, None)


@pytest.mark.parametrize(
    "address", ["http://example.org/", "ftp://example.org", "https://", "https://a:b@example.org/"]
)
def test_an_address_that_is_none_is_refused_with_the_name_of_the_setting(address: str) -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_UPDATE_URL"):
        load(GatewaySettings, update_url=address)
    assert load(GatewaySettings).update_url == ""
