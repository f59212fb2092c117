"""Requests: answered, refused or timed out; by our own programs and by strangers on Redis."""

import asyncio
import json

import pytest
from faststream.redis import RedisBroker, RedisRouter
from pydantic import JsonValue

from moodstream.contracts.events import ReplyGiven, RequestMade, expiry, utc_now
from moodstream.contracts.requests import (
    ANSWERED_BY,
    KINDS,
    AskPlayer,
    CommandPlayer,
    FindMood,
    FindSimilar,
    MoodOfSong,
    OfferSongs,
    SimilarSongs,
    SongsOfMood,
    completed,
    family,
)
from moodstream.errors import MoodstreamError, NoAnswer, RequestRefused
from shared.bus.connection import Bus
from shared.delivery.serve import NotMine, RequestServer, serve
from tests.support.asking import ask
from tests.support.bus import running, until


async def offer(request: OfferSongs, _: RequestMade) -> SongsOfMood:
    if request.mood == "sad":
        raise MoodstreamError("there is no sad song")
    return SongsOfMood.model_validate({"mood": request.mood, "songs": [], "of_a_newer_service": 1})


async def similar(request: FindSimilar, _: RequestMade) -> SimilarSongs:
    if request.id == "another's":
        raise NotMine
    return SimilarSongs(id=request.id, ranking=())


def register(router: RedisRouter, bus: Bus) -> None:
    serve(router, bus, "test", {OfferSongs: offer, FindSimilar: similar}, answers_strangers=True)


async def test_requests_are_answered_refused_or_time_out(redis_url: str) -> None:
    async with running(redis_url, register) as bus:
        offered = await bus.ask(OfferSongs(mood="calm"))
        assert offered.mood == "calm"
        assert offered.model_dump()["of_a_newer_service"] == 1, "whoever passes it on loses nothing"
        with pytest.raises(RequestRefused, match="there is no sad song"):
            await bus.ask(OfferSongs(mood="sad"))
        with pytest.raises(NoAnswer, match=r"nobody answered songs.similar within 0.3 s"):
            await bus.ask(FindSimilar(id="another's"), 0.3)
        with pytest.raises(NoAnswer):
            await bus.ask(AskPlayer(), 0.3)


async def test_many_requests_at_once_get_their_own_answers(redis_url: str) -> None:
    async with running(redis_url, register) as bus:
        replies = await asyncio.gather(*(bus.ask(FindSimilar(id=str(n)), 5) for n in range(30)))
    assert [reply.id for reply in replies] == [str(n) for n in range(30)]


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("songs.offer", {}, "songs.offer: mood: Field required"),
        ("songs.offer", {"mood": "nobody"}, "songs.offer: mood: Input should be 'angry', 'happy', 'sad' or 'calm'"),
        ("songs.similar", {"id": 7}, "songs.similar: id: Input should be a valid string"),
        ("songs.similar", {"id": "7", "n": 0}, "songs.similar: n: Input should be greater than or equal to 1"),
        ("songs.nothing", {}, "'songs.nothing': there is no such request; there are camera.pause, "),
        ("weather", {"a": {"b": 1}}, "'weather': there is no such request; there are camera.pause, "),
        ("", {}, "'': there is no such request; there are camera.pause, "),
    ],
)
async def test_what_is_wrong_is_answered_with_one_line(
    redis_url: str, kind: str, body: dict[str, object], error: str
) -> None:
    async with running(redis_url, register) as bus:
        reply = await ask(bus, kind, body, 5)  # type: ignore[arg-type]
        assert reply.error is not None
        assert reply.error.startswith(error)
        assert "\n" not in reply.error
        assert await bus.redis.xlen("mood:requests:dead") == 0


async def test_kinds_of_other_services_and_of_their_newer_versions_are_left_to_them(redis_url: str) -> None:
    async with running(redis_url, register) as bus:
        for kind in ("player.status", "player.of_a_newer_version"):
            with pytest.raises(TimeoutError):
                await ask(bus, kind, {}, 0.3)


async def test_processes_that_answer_the_same_request_publish_the_same_event(redis_url: str) -> None:
    async with running(redis_url, lambda router, bus: None) as bus:
        request = RequestMade(kind="songs.nothing", expires_at=expiry(RequestMade))
        for _ in range(2):
            await RequestServer(bus, {OfferSongs: offer}).answer(request)
        replies = await bus.newest(ReplyGiven, 10)
    assert [reply.id for reply in replies] == [ReplyGiven.following(request, request_id=request.id).id]


async def test_a_plain_faststream_program_is_understood(redis_url: str) -> None:
    """It wraps what it publishes into an envelope of its own, and leaves out what it does not know."""
    async with running(redis_url, register) as bus, RedisBroker(redis_url) as stranger:
        question = {"kind": "songs.offer", "body": {"mood": "happy"}}
        await stranger.publish(question, stream="mood:requests", correlation_id="asked-1")
        await stranger.publish({"id": "asked-2", **question}, stream="mood:requests")
        await until(lambda: _count(bus, 2))
        replies = {one.request_id: one for one in await bus.newest(ReplyGiven, 10) if isinstance(one, ReplyGiven)}
        assert set(replies) == {"asked-1", "asked-2"}
        assert all(isinstance(one.result, dict) and one.result["mood"] == "happy" for one in replies.values())
        assert await bus.redis.xlen("mood:requests:dead") == 0


async def test_whoever_follows_the_requests_understands_strangers_too(redis_url: str) -> None:
    async with running(redis_url, lambda router, bus: None) as bus, RedisBroker(redis_url) as stranger:
        await stranger.publish({"kind": "player.status"}, stream="mood:requests", correlation_id="asked-1")
        await bus.redis.xadd("mood:requests", {"__data__": json.dumps({"id": "asked-2", "kind": "player.status"})})
        await bus.redis.xadd("mood:requests", {"__data__": "[]"})
        asked = await bus.newest(RequestMade, 10)
    assert [one.id for one in asked] == ["asked-2", "asked-1"]
    assert all(isinstance(one, RequestMade) and one.expires_at > utc_now() for one in asked)


def test_a_strangers_request_is_as_old_as_its_entry() -> None:
    old = RequestMade.model_validate(completed({"kind": "player.command"}, "1700000000000-0"))
    assert old.at.timestamp() == 1_700_000_000
    assert old.expires_at - old.at == RequestMade.LIFETIME
    assert old == RequestMade.model_validate(
        completed({"kind": "player.command", "trace_id": old.trace_id}, "1700000000000-0")
    ), "delivered twice, it is the same request"


def test_every_kind_has_a_request_and_a_reply_with_words_for_people() -> None:
    assert len(KINDS) == 24
    for kind, request in KINDS.items():
        assert kind == request.KIND
        assert family(kind) in ANSWERED_BY
        assert request.__doc__
        assert request.REPLY.__doc__


def test_arguments_left_out_stay_out_of_the_wire() -> None:
    assert CommandPlayer(command="pause").made().body == {"command": "pause"}
    assert FindSimilar(id="7").made().body == {"id": "7", "n": 10}


def test_a_reply_that_is_none_is_one_line() -> None:
    with pytest.raises(MoodstreamError, match=r"^the answer to songs.mood cannot be read: mood: "):
        FindMood(id="7").reply({"id": "7", "mood": "merry"})
    told: dict[str, JsonValue] = {
        "id": "7",
        "mood": "sad",
        "valence": -1,
        "arousal": 0,
        "memberships": {},
        "margin": 0.5,
    }
    assert isinstance(FindMood(id="7").reply(told | {"memberships": {}}), MoodOfSong)
    with pytest.raises(MoodstreamError):
        CommandPlayer(command="pause").reply(None)


async def _count(bus: Bus, replies: int) -> bool:
    return bool(await bus.redis.xlen("mood:replies") == replies)
