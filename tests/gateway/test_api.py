"""The API of a running gateway: what it tells, what visitors may do, what it refuses."""

import asyncio
import json
import re
from datetime import timedelta
from typing import cast

import httpx
import pytest
from pydantic import JsonValue

from moodstream.contracts.events import FeedbackGiven, MoodChanged, PlaybackChanged, SongPicked, SongsOffered, utc_now
from moodstream.contracts.moods import Mood
from services.gateway.pages import STATIC
from shared.bus.connection import Bus
from tests.support.gateways import Gateway, answer, listening, state_where
from tests.support.scenes import (
    CAMERA,
    OFFERED,
    camera_online,
    mood_changed,
    new_session,
    offered,
    picked,
    playing,
    ranked,
)


async def publish_visit(bus: Bus, camera_id: str = CAMERA) -> tuple[MoodChanged, SongsOffered]:
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start", camera_id=camera_id)
    offer = offered(mood)
    await bus.publish(mood)
    await bus.publish(offer)
    return mood, offer


async def open_offer(bus: Bus, client: httpx.AsyncClient, camera_id: str) -> SongsOffered:
    """An offer that the gateway knows of."""
    _, offer = await publish_visit(bus, camera_id)
    await state_where(
        client,
        lambda state: (state["cameras"].get(camera_id, {}).get("offer") or {}).get("id") == offer.id,
    )
    return offer


async def test_events_reach_a_listener_after_a_snapshot(bus: Bus, client: httpx.AsyncClient) -> None:
    async with listening(client) as messages:
        first = await anext(messages)
        assert (first.event, first.data["camera_id"]) == ("snapshot", CAMERA)
        mood, offer = await publish_visit(bus)
        pick = picked(offer)
        sent = [pick, ranked(pick), playing(), camera_online()]
        for event in sent:
            await bus.publish(event)
        heard = [await anext(messages) for _ in range(6)]
    assert {message.data["id"] for message in heard} == {event.id for event in (mood, offer, *sent)}
    assert all(message.event == message.data["type"] for message in heard)
    numbers = [int((message.id or "").rpartition("-")[2]) for message in heard]
    assert numbers == sorted(numbers)


async def test_a_listener_that_comes_back_gets_what_it_missed(bus: Bus, client: httpx.AsyncClient) -> None:
    async with listening(client) as messages:
        last_id = (await anext(messages)).id
    statuses = [camera_online("one"), camera_online("two")]
    for status in statuses:
        await bus.publish(status)
    await state_where(client, lambda state: any(each["reason"] == "two" for each in state["status"]))
    async with listening(client, last_id) as messages:
        assert [(await anext(messages)).data["reason"] for _ in statuses] == ["one", "two"]


async def test_the_state_tells_what_is_true_now(bus: Bus, client: httpx.AsyncClient) -> None:
    mood, offer = await publish_visit(bus, "camera-7")
    pick = picked(offer)
    await bus.publish(pick)
    await bus.publish(ranked(pick))
    state = await state_where(client, lambda state: (state["cameras"].get("camera-7") or {}).get("ranking"))
    assert state["cameras"]["camera-7"]["mood"]["session_id"] == mood.session_id
    assert state["cameras"]["camera-7"]["ranking"]["picked"]["id"] == OFFERED[1].id


async def test_a_pick_becomes_an_event_and_again_the_same(bus: Bus, client: httpx.AsyncClient) -> None:
    offer = await open_offer(bus, client, "camera-8")
    start = await bus.last_id(SongPicked)
    body = {"offer_id": offer.id, "song_id": OFFERED[3].id}
    answers = [await client.post("/api/v1/picks", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    async for entry in bus.follow({SongPicked: start}, block_ms=100):
        assert entry is not None
        event = entry[1]
        break
    assert isinstance(event, SongPicked)
    assert (event.id, event.song_id, event.by) == (answers[0].json()["id"], OFFERED[3].id, "visitor")
    assert (event.session_id, event.trace_id, event.mood) == (offer.session_id, offer.trace_id, Mood.HAPPY)
    other = await client.post("/api/v1/picks", json=body | {"song_id": OFFERED[0].id})
    assert (other.status_code, other.json()) == (409, {"error": "another song of this offer was picked already"})


async def test_a_ranked_song_is_picked_by_the_offer_or_the_ranking(bus: Bus, client: httpx.AsyncClient) -> None:
    offer = await open_offer(bus, client, "camera-11")
    ranking = ranked(picked(offer))
    await bus.publish(ranking)
    await state_where(client, lambda state: state["cameras"]["camera-11"]["ranking"])
    start = await bus.last_id(SongPicked)
    songs = [entry.song.id for entry in ranking.ranking[:2]]
    bodies = [(offer.id, songs[0]), (ranking.id, songs[0]), (ranking.id, songs[1])]
    answers = [await client.post("/api/v1/picks", json={"offer_id": one, "song_id": song}) for one, song in bodies]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    first, again, other = (answer.json()["id"] for answer in answers)
    assert first == again != other
    async for entry in bus.follow({SongPicked: start}, block_ms=100):
        assert entry is not None
        event = entry[1]
        break
    assert isinstance(event, SongPicked)
    assert (event.id, event.song_id, event.offer_id, event.mood) == (first, songs[0], offer.id, Mood.HAPPY)


async def test_a_pick_of_nothing_is_refused(bus: Bus, client: httpx.AsyncClient) -> None:
    offer = await open_offer(bus, client, "camera-9")
    foreign = await client.post("/api/v1/picks", json={"offer_id": offer.id, "song_id": "none of these"})
    assert foreign.status_code == 422
    unknown = await client.post("/api/v1/picks", json={"offer_id": "no such offer", "song_id": OFFERED[0].id})
    assert (unknown.status_code, unknown.json()) == (404, {"error": "this offer is unknown or has expired"})


async def test_an_expired_offer_cannot_be_picked_from(bus: Bus, client: httpx.AsyncClient) -> None:
    mood = mood_changed(Mood.CALM, new_session(), phase="start", camera_id="camera-10")
    offer = offered(mood, expires_at=utc_now() - timedelta(seconds=1))
    await bus.publish(mood)
    await bus.publish(offer)
    await state_where(client, lambda state: (state["cameras"].get("camera-10") or {}).get("offer"))
    late = await client.post("/api/v1/picks", json={"offer_id": offer.id, "song_id": OFFERED[0].id})
    assert late.status_code == 404


async def test_a_mood_chosen_by_hand_is_asked_of_the_service_that_serves_it(
    bus: Bus, client: httpx.AsyncClient
) -> None:
    serving = await answer(bus, "mood.choose", {"session_id": "1"})
    reply = await client.post("/api/v1/moods", json={"mood": "calm"})
    assert (reply.status_code, reply.json()) == (200, {"result": {"session_id": "1"}})
    assert (await serving).body == {"mood": "calm", "camera_id": CAMERA}


async def test_a_refusal_by_the_service_is_passed_on(bus: Bus, client: httpx.AsyncClient) -> None:
    await bus.publish(mood_changed(Mood.CALM, new_session(), camera_id="camera-3"))
    await state_where(client, lambda state: "camera-3" in state["cameras"])
    serving = await answer(bus, "session.end", error="nobody is there")
    reply = await client.post("/api/v1/sessions/end", json={"camera_id": "camera-3"})
    assert (reply.status_code, reply.json()) == (409, {"error": "nobody is there"})
    assert (await serving).body == {"camera_id": "camera-3"}


async def test_silence_of_the_service_is_a_time_out(client: httpx.AsyncClient) -> None:
    reply = await client.post("/api/v1/sessions/end")
    assert (reply.status_code, reply.json()) == (504, {"error": "nobody answered session.end within 2 s"})


async def test_feedback_of_the_visit_is_listed_and_cleared_and_songs_are_asked_for(
    bus: Bus, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/api/v1/feedback", params={"camera_id": "nobody"})).status_code == 404
    offer = await open_offer(bus, client, CAMERA)
    of_visit: dict[str, JsonValue] = {"session_id": offer.session_id}
    liked: dict[str, JsonValue] = {"kind": "like", "song_id": "x"}
    similar: dict[str, JsonValue] = {"id": "x", "ranking": []}
    songs: dict[str, JsonValue] = {"mood": "sad", "songs": [], "filled": []}
    for method, path, query, kind, body, result in (
        ("GET", "feedback", {}, "feedback.list", of_visit, {"feedback": [liked]}),
        ("DELETE", "feedback", {}, "feedback.clear", of_visit, {"cleared": 1}),
        ("GET", "songs/similar", {"id": "x", "n": "3"}, "songs.similar", {"id": "x", "n": 3}, similar),
        ("GET", "songs/offer", {"mood": "sad"}, "songs.offer", {"mood": "sad"}, songs),
    ):
        added = cast(dict[str, JsonValue], result) | {"newer": kind}  # what a newer service adds is passed on
        asked = await answer(bus, kind, result=added)
        reply = await client.request(method, f"/api/v1/{path}", params=query)
        assert (await asked).body == body
        assert reply.json() == {"result": added}
    assert (await client.get("/api/v1/songs/everything")).status_code == 404
    reply = await client.request("DELETE", "/api/v1/feedback", headers={"Origin": "https://elsewhere.example"})
    assert reply.status_code == 403


async def test_feedback_belongs_to_the_visit(bus: Bus, client: httpx.AsyncClient) -> None:
    offer = await open_offer(bus, client, "camera-11")
    body = {"kind": "like", "song_id": OFFERED[0].id, "camera_id": "camera-11"}
    reply = await client.post("/api/v1/feedback", json=body)
    assert reply.status_code == 202
    (given,) = await bus.newest(FeedbackGiven, 1)
    assert isinstance(given, FeedbackGiven)
    assert (given.id, given.kind, given.session_id) == (reply.json()["id"], "like", offer.session_id)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("picks", b"not json", 400),
        ("picks", b"\xff\xfe\x00", 400),
        ("picks", b"[" * 10_000, 400),
        ("picks", b"", 422),
        ("picks", b"[]", 422),
        ("picks", b"null", 422),
        ("picks", b'{"offer_id": 1, "song_id": {}}', 422),
        ("picks", b'{"offer_id": "", "song_id": "1"}', 422),
        ("picks", json.dumps({"offer_id": "1", "song_id": "x" * 201}).encode(), 422),
        ("picks", b'{"offer_id": "1", "song_id": "1", "by": "auto"}', 422),
        ("picks", b" " * 20_000, 413),
        ("moods", b'{"mood": "unsure"}', 422),
        ("moods", b'{"mood": ["happy"]}', 422),
        ("moods", b'{"mood": "happy", "camera_id": ""}', 422),
        ("sessions/end", b'{"camera_id": 3}', 422),
        ("feedback", b'{"kind": "love"}', 422),
    ],
)
async def test_hostile_bodies_get_one_line(path: str, body: bytes, status: int, client: httpx.AsyncClient) -> None:
    reply = await client.post(f"/api/v1/{path}", content=body)
    assert reply.status_code == status
    assert list(reply.json()) == ["error"]
    assert "\n" not in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/picks", 405),
        ("DELETE", "/api/v1/state", 405),
        ("POST", "/api/v1/events", 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/", 404),
    ],
)
async def test_what_does_not_exist_is_said_in_json(
    method: str, path: str, status: int, client: httpx.AsyncClient
) -> None:
    reply = await client.request(method, path)
    assert reply.status_code == status
    assert list(reply.json()) == ["error"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"]
)
async def test_pages_of_other_sites_may_command_nothing(origin: str, client: httpx.AsyncClient) -> None:
    for path in ("picks", "moods", "sessions/end", "feedback"):
        reply = await client.post(f"/api/v1/{path}", json={}, headers={"Origin": origin})
        assert reply.status_code == 403


async def test_the_page_itself_may(gateway: Gateway, client: httpx.AsyncClient) -> None:
    reply = await client.post("/api/v1/feedback", json={"kind": "skip"}, headers={"Origin": gateway.url})
    assert reply.status_code == 202


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/style.css", "/api/v1/state", "/api/v1/nothing"])
async def test_every_answer_has_the_headers_that_keep_browsers_safe(path: str, client: httpx.AsyncClient) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in headers


async def test_the_page_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    files = [path for path in STATIC.iterdir() if path.is_file()]
    html = (await client.get("/")).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)
    for path in files:
        addresses = set(re.findall(r"(?:https?:)?//[\w.]+\.[a-z]+", path.read_text(errors="replace")))
        assert addresses <= {"http://www.w3.org", "https://open.spotify.com"}


@pytest.mark.parametrize(
    "path", ["/static/../main.py", "/static/%2e%2e/main.py", "/static/..%2fmain.py", "/static//etc/passwd"]
)
async def test_only_the_files_of_the_page_are_served(path: str, gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert reply.startswith(b"HTTP/1.1 404")


async def test_two_hundred_pages_hear_an_event_at_once(bus: Bus, gateway: Gateway) -> None:
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n\r\n".encode()

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=2**20)
        writer.write(request)
        await reader.readuntil(b"event: snapshot")
        return reader, writer

    async with asyncio.timeout(30):
        pages = [await connect() for _ in range(200)]
    event = PlaybackChanged(state="paused", output="log")
    await bus.publish(event)
    async with asyncio.timeout(5):
        await asyncio.gather(*(reader.readuntil(event.id.encode()) for reader, _ in pages))
    for _, writer in pages:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in pages))
