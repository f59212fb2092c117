"""The client asks over HTTP and over Redis with the same calls, and fails with one line."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

import moodstream
from moodstream import BlockingClient, Client, MoodstreamError, NoAnswer, RequestRefused
from moodstream.contracts.events import ReplyGiven, RequestMade
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import AskCamera, CommandPlayer, FindMood, Request
from services.cli.run.embedded_redis import embedded_redis
from shared.contracts.request_examples import EXAMPLES, HARBOUR, LANTERN, VISIT
from tests.client.answering import answering
from tests.support.gateways import Gateway, connected_bus
from tests.support.ports import free_port
from tests.support.scenes import mood_changed

WIRES = ("page", "redis")
REPLIES = {example.request.KIND: example.reply for example in EXAMPLES}

CALLS: dict[str, Callable[[Any], Any]] = {
    "songs.offer": lambda client: client.offer("calm"),
    "songs.similar": lambda client: client.similar(HARBOUR.id, n=1),
    "songs.next": lambda client: client.next_songs([HARBOUR.id], n=1),
    "songs.path": lambda client: client.path(HARBOUR.id, "lift", n=1),
    "songs.mood": lambda client: client.mood_of(HARBOUR.id),
    "songs.search": lambda client: client.search("harbor kite", n=1),
    "feedback.list": lambda client: client.feedback(session_id=VISIT),
    "feedback.clear": lambda client: client.clear_feedback(session_id=VISIT),
    "learned.list": lambda client: client.learned(),
    "learned.forget": lambda client: client.forget_learned(HARBOUR.id),
    "mood.choose": lambda client: client.choose_mood("calm", "camera-1"),
    "session.end": lambda client: client.end_session("camera-1"),
    "camera.pause": lambda client: client.pause_camera("camera-1", 60),
    "camera.status": lambda client: client.camera_status("camera-1"),
    "player.command": lambda client: client.player("volume", percent=40),
    "player.status": lambda client: client.player_status(),
    "player.devices": lambda client: client.devices(),
}
"""Each of them makes the request of the example."""
REDIS_ALONE = {"camera.pause", "camera.status", "player.devices", "learned.list", "learned.forget"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url).run() as running:
        yield running


def address(gateway: Gateway, wire: str) -> str:
    return gateway.url if wire == "page" else gateway.redis_url


async def visit(bus: Any, client: Client) -> None:
    """A visit has begun, and the gateway knows it."""
    async with asyncio.timeout(10):
        async with asyncio.TaskGroup() as tasks:
            heard = tasks.create_task(anext(client.moods()))
            while not heard.done():
                await bus.publish(mood_changed(Mood.CALM, VISIT))
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("wire", WIRES)
async def test_every_kind_is_asked_with_a_method_and_answered_with_its_model(gateway: Gateway, wire: str) -> None:
    offered = {kind: call for kind, call in CALLS.items() if wire == "redis" or kind not in REDIS_ALONE}
    async with answering(gateway.redis_url) as (bus, answers), Client(address(gateway, wire)) as client:
        await visit(bus, client)
        for kind, call in offered.items():
            reply = REPLIES[kind]
            assert await call(client) == getattr(reply, "root", reply), kind
        asked = {request.KIND: request for request in answers.asked if request.KIND in offered}
    expected: dict[str, Request[Any]] = {
        example.request.KIND: example.request for example in EXAMPLES if example.request.KIND in offered
    }
    assert asked == expected


@pytest.mark.parametrize("wire", WIRES)
async def test_programs_without_asyncio_ask_the_same(gateway: Gateway, wire: str) -> None:
    def work() -> list[Any]:
        with BlockingClient(address(gateway, wire)) as client:
            return [CALLS[kind](client) for kind in ("songs.offer", "songs.mood", "player.status")]

    async with answering(gateway.redis_url):
        replies = await asyncio.to_thread(work)
    assert replies == [REPLIES[kind] for kind in ("songs.offer", "songs.mood", "player.status")]


async def test_the_blocking_client_works_below_a_running_loop_and_from_several_threads(gateway: Gateway) -> None:
    async with answering(gateway.redis_url):
        heard: list[Any] = []

        async def notebook() -> None:
            with BlockingClient(gateway.redis_url) as client:
                threads = [threading.Thread(target=lambda: heard.append(client.offer("calm"))) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                heard.append(client.offer("calm"))

        await asyncio.to_thread(asyncio.run, notebook())
    assert heard == [REPLIES["songs.offer"]] * 9


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, str]:
        public = {name: one for name, one in vars(kind).items() if callable(one) and not name.startswith("_")}
        return {name: str(inspect.signature(one)).partition(" -> ")[0] for name, one in public.items()}

    assert methods(Client) == methods(BlockingClient)
    assert len(methods(Client)) == len(CALLS) + len(("ask", "moods", "events"))


async def test_many_questions_at_once_get_their_own_answers(gateway: Gateway) -> None:
    async with answering(gateway.redis_url), Client(gateway.redis_url, timeout_s=10) as client:
        replies = await asyncio.gather(*(CALLS[kind](client) for kind in CALLS))
    assert replies == [getattr(REPLIES[kind], "root", REPLIES[kind]) for kind in CALLS]


@pytest.mark.parametrize("wire", WIRES)
async def test_what_the_service_refuses_is_its_own_line(gateway: Gateway, wire: str) -> None:
    async with answering(gateway.redis_url), Client(address(gateway, wire)) as client:
        with pytest.raises(RequestRefused, match=r"^there is no song unknown$"):
            await client.mood_of("unknown")


@pytest.mark.parametrize("wire", WIRES)
async def test_wrong_arguments_are_one_line_before_anybody_is_asked(gateway: Gateway, wire: str) -> None:
    async with answering(gateway.redis_url) as (_, answers), Client(address(gateway, wire)) as client:
        wrong: list[tuple[Awaitable[Any], str]] = [
            (client.offer("bored"), r"^songs.offer: mood: Input should be 'angry'"),  # type: ignore[arg-type]
            (client.offer(Mood.NOBODY), r"^songs.offer: mood: Input should be 'angry'"),
            (client.similar("7", n=0), r"^songs.similar: n: Input should be greater than or equal to 1$"),
            (client.path("7", "up"), r"^songs.path: goal: Input should be 'match'"),  # type: ignore[arg-type]
            (client.player("bark"), r"^player.command: command: Input should be 'play'"),  # type: ignore[arg-type]
            (client.feedback(), r"^feedback.list: name a session_id or a profile$"),
            (client.end_session(""), r"^session.end: camera_id: must be 1 to 100 letters"),
        ]
        for call, line in wrong:
            with pytest.raises(MoodstreamError, match=line) as caught:
                await call
            assert "\n" not in str(caught.value)
        assert answers.asked == []


async def test_a_mood_as_it_was_heard_can_be_asked_for(gateway: Gateway) -> None:
    async with answering(gateway.redis_url), Client(gateway.url) as client:
        assert await client.offer(Mood.CALM) == REPLIES["songs.offer"]


async def test_what_http_does_not_offer_says_so(gateway: Gateway) -> None:
    async with Client(gateway.url) as client:
        for kind in REDIS_ALONE:
            with pytest.raises(MoodstreamError, match=rf"^{kind} is not offered over HTTP; ask over Redis$"):
                await CALLS[kind](client)
        with pytest.raises(MoodstreamError, match="not offered over HTTP"):
            await client.ask(AskCamera(camera_id="c"))
        with pytest.raises(MoodstreamError, match=r"^feedback.clear of a profile is not offered over HTTP"):
            await client.clear_feedback(profile="ann")
        with pytest.raises(RequestRefused, match=r"^this visit is unknown or over"):
            await client.feedback(session_id="of yesterday")


async def test_feedback_of_a_visit_that_is_over_is_nobodys(gateway: Gateway) -> None:
    async with answering(gateway.redis_url) as (bus, _), Client(gateway.url) as client:
        await visit(bus, client)
        await bus.publish(mood_changed(Mood.NOBODY, VISIT, phase="end"))
        async with asyncio.timeout(5):
            while True:
                try:
                    await client.feedback(session_id=VISIT)
                except RequestRefused:
                    break
                await asyncio.sleep(0.05)


async def test_over_http_a_song_is_told_by_its_id_alone_and_comes_from_the_catalogue(gateway: Gateway) -> None:
    async with answering(gateway.redis_url) as (_, answers), Client(gateway.url) as client:
        await client.player("queue", song=LANTERN)
    assert answers.asked == [FindMood(id=LANTERN.id), CommandPlayer(command="queue", song=HARBOUR)]


async def test_over_redis_the_player_is_told_a_whole_song(gateway: Gateway) -> None:
    async with answering(gateway.redis_url) as (_, answers), Client(gateway.redis_url) as client:
        await client.player("play", song=LANTERN)
        await client.player("queue", song=LANTERN.id)
    assert answers.asked == [
        CommandPlayer(command="play", song=LANTERN),
        CommandPlayer(command="queue", song=LANTERN.id),
    ]


@pytest.mark.parametrize("wire", WIRES)
async def test_silence_is_no_answer(gateway: Gateway, wire: str) -> None:
    async with connected_bus(gateway.redis_url) as bus, Client(address(gateway, wire), timeout_s=1.5) as client:
        await bus.redis.xtrim("mood:replies", maxlen=0)
        with pytest.raises(NoAnswer, match=r"^nobody answered songs.mood within 1(\.\d)? s$"):
            await client.mood_of("7")


async def test_replies_that_are_none_are_passed_over(gateway: Gateway) -> None:
    async with answering(gateway.redis_url) as (bus, _), Client(gateway.redis_url) as client:
        asking = asyncio.create_task(client.offer("calm"))
        for rubbish in (
            {"__data__": "[]"},
            {"a": "b"},
            {"__data__": ReplyGiven(request_id="another").model_dump_json()},
        ):
            await bus.redis.xadd("mood:replies", rubbish)
        assert await asking == REPLIES["songs.offer"]


async def test_a_clock_that_is_wrong_does_no_harm(gateway: Gateway) -> None:
    """What is asked carries no time: services take that of the entry."""
    async with answering(gateway.redis_url) as (bus, _), Client(gateway.redis_url) as client:
        await client.offer("calm")
        (_, fields), *_ = await bus.redis.xrevrange(bus.stream(RequestMade), count=1)
    assert b"expires_at" not in fields[b"__data__"]
    assert b'"at"' not in fields[b"__data__"]


async def test_a_site_with_a_prefix_of_its_own(redis_url: str) -> None:
    async with Client(redis_url, prefix="north:") as client:
        with pytest.raises(MoodstreamError, match=r"no Moodstream here has the prefix 'north:'$"):
            await client.offer("calm")
    async with answering(redis_url) as (bus, _), Client(redis_url, prefix="Mood:") as client:
        with pytest.raises(MoodstreamError, match=r"no Moodstream here has the prefix 'Mood:'$"):
            await client.offer("calm")
        assert await bus.redis.keys("Mood:*") == [], "nothing was left there"


async def test_services_that_only_follow_the_requests_are_asked_too(redis_url: str) -> None:
    """They have a status, but the stream of requests begins with the first of them."""
    async with connected_bus(redis_url) as bus, Client(redis_url, timeout_s=0.3) as client:
        await bus.redis.xadd("mood:status", {"__data__": "{}"})
        with pytest.raises(NoAnswer):
            await client.player_status()
        assert await bus.redis.xlen("mood:requests") == 1


async def test_servers_that_are_away_or_none_are_one_line(gateway: Gateway) -> None:
    port = free_port()
    for url, words in (
        (f"http://127.0.0.1:{port}", rf"^http://127.0.0.1:{port} does not answer: "),
        (f"redis://:secret@127.0.0.1:{port}", rf"^redis://127.0.0.1:{port}: .*"),
        ("unix:///nonexistent/redis.sock", r"^unix:///nonexistent/redis.sock: "),
        (f"redis://127.0.0.1:{gateway.port}", rf"^redis://127.0.0.1:{gateway.port}\b"),
        (gateway.url + "/nowhere", r"nowhere: this is not the page of a Moodstream \(status 404\)$"),
        ("redis+sentinel://127.0.0.1:1/moodstream/0", "none of the Sentinels at 127.0.0.1:1 answers"),
    ):
        async with Client(url) as client:
            with pytest.raises(MoodstreamError, match=words) as caught:
                await client.offer("calm")
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)


async def test_addresses_that_cannot_be_right_are_one_line() -> None:
    for url, words in (
        ("127.0.0.1:8080", "must begin with http://"),
        ("ftp://ann:secret@x", r"^ftp://x: must begin with"),
        ("http://", "names no host"),
        ("http://127.0.0.1:page", "this address cannot be right: Port"),
        ("redis://:secret@127.0.0.1:page", r"^redis://127.0.0.1:page: this address cannot be right: "),
        ("redis+sentinel://a", "an address of Sentinels reads"),
    ):
        for opening in (Client, BlockingClient):
            with pytest.raises(MoodstreamError, match=words) as caught:
                opening(url)
            assert "\n" not in str(caught.value)
            assert "secret" not in str(caught.value)


async def test_a_client_that_is_not_open_says_how_to_open_it() -> None:
    with pytest.raises(MoodstreamError, match="async with"):
        await Client("redis://x").offer("calm")
    with pytest.raises(MoodstreamError, match="inside `with"):
        BlockingClient("redis://x").offer("calm")


async def test_the_address_of_the_api_is_taken_too(gateway: Gateway) -> None:
    async with answering(gateway.redis_url), Client(gateway.url + "/api/v1/") as client:
        assert await client.offer("calm") == REPLIES["songs.offer"]


def test_what_the_package_exports() -> None:
    assert set(moodstream.__all__) == {
        *("Client", "BlockingClient", "MoodstreamError", "NoAnswer", "RequestRefused"),
        *("events", "iter_events", "iter_moods", "moods"),
    }
    assert all(getattr(moodstream, name) for name in moodstream.__all__)
