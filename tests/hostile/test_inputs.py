"""Whatever comes in by a wire is answered or passed over, and never more: properties over generated input."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from moodstream.contracts.events import EVENTS, Event, uuid_of
from moodstream.contracts.streams import STREAMS
from services.bridge.webhooks.sender import MAX_REST_S, _rest
from services.gateway.api import mount
from services.gateway.main import GatewaySettings, create_context
from services.gateway.pictures.guest_frames import FrameGate
from services.gateway.state.feed import Feed
from services.gateway.state.kiosk import Kiosk
from services.gateway.state.opening_hours import ALWAYS
from services.gateway.state.snapshot import snapshot_of
from shared.app.service import create_bus
from shared.bus.connection import Bus
from shared.contracts.site_state import SiteState
from shared.settings import Settings, load
from tests.hostile.corpus import events, whole
from tests.hostile.strategies import JSON

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


NOWHERE = "redis://127.0.0.1:9/0"


@pytest.fixture(scope="module")
def bus() -> Bus:
    """Never connected: what is refused must not reach Redis."""
    return create_bus(load(Settings, redis_url=NOWHERE))


@MANY
@given(st.sampled_from(EVENTS), st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_an_entry_is_an_event_or_passed_over(bus: Bus, kind: type[Event], body: bytes) -> None:
    event = bus.parse(f"mood:{STREAMS[kind].name}", {b"__data__": body}, b"1700000000000-0")
    assert event is None or type(event) is kind


@MANY
@given(st.sampled_from(EVENTS), st.data())
def test_an_event_with_a_strange_field_is_passed_over_or_can_be_used(
    bus: Bus, kind: type[Event], data: st.DataObject
) -> None:
    right = whole(kind)
    name = data.draw(st.sampled_from(sorted(right)))
    event = bus.parse(
        f"mood:{STREAMS[kind].name}",
        {b"__data__": json.dumps(right | {name: data.draw(JSON)}).encode()},
        b"1700000000000-0",
    )
    if event is not None:
        json.loads(event.model_dump_json(), parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
        assert uuid_of(event.id)
        assert event.at.tzinfo is not None
        state = SiteState("camera-1")
        state.apply(event)
        json.loads(snapshot_of(state, ALWAYS, Kiosk(), browser_camera=True))


def test_the_page_survives_every_event_of_the_corpus(bus: Bus) -> None:
    state, taken = SiteState("camera-1"), 0
    for kind, body in events(9):
        event = bus.parse(f"mood:{STREAMS[kind].name}", {b"__data__": body}, b"1700000000000-0")
        if event is not None:
            state.apply(event)
            taken += 1
    json.loads(snapshot_of(state, ALWAYS, Kiosk(), browser_camera=True))
    assert taken > 100


PATHS = [
    "picks",
    "moods",
    "sessions/end",
    "feedback",
    "player",
    "state",
    "nowhere",
    "events/ws",
    "frames",
    "consents",
    "operator/status",
    "songs/offer",
]


@settings(MANY, max_examples=80)
@given(
    st.sampled_from(("GET", "POST", "DELETE", "PUT", "OPTIONS", "HEAD")),
    st.sampled_from(PATHS),
    st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()) | st.just(b"x" * 20_000),
    st.sampled_from(("application/json", "text/html", "", "application/json; charset=\x7f")),
)
async def test_no_request_is_an_error_of_our_own(method: str, path: str, body: bytes, kind: str) -> None:
    """With Redis away; what it raises would be raised here."""
    given_settings = load(GatewaySettings, redis_url=NOWHERE, requests_per_s=0)
    bus = create_bus(given_settings)
    await bus.connect()
    api = Starlette(routes=[mount(create_context(given_settings, bus))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
        async with asyncio.timeout(20):
            answer = await client.request(method, f"/api/v1/{path}", content=body, headers={"content-type": kind})
    await bus.close()
    assert answer.status_code < 500 or answer.json() == {"error": "Redis does not answer; try again in a moment"}


@MANY
@given(st.text(max_size=60))
async def test_any_last_id_is_a_place_or_a_gap(last_id: str) -> None:
    feed = Feed(lambda: "{}")
    feed.publish("MoodChanged", "{}")
    messages = feed.messages(last_id, keep_alive_s=0.01)
    first = await anext(messages)
    await messages.aclose()
    assert first == [] or first[0].name in ("snapshot", "gap", "MoodChanged")


@MANY
@given(st.binary(max_size=40))
def test_what_a_receiver_asks_for_is_a_time_that_ends(value: bytes) -> None:
    assert 0 <= _rest([(b"Retry-After", value)]) <= MAX_REST_S


@MANY
@given(st.lists(st.binary(max_size=50), max_size=20))
def test_the_gate_takes_nothing_but_jpegs(pictures: list[bytes]) -> None:
    gate = FrameGate()
    for number, picture in enumerate(pictures):
        refusal: Any = gate.refusal(picture, float(number))
        assert (refusal is None) == picture.startswith(b"\xff\xd8\xff")
