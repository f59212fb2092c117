"""How the gateway starts, ends, and goes without Redis."""

import httpx

from moodstream.contracts.moods import Mood
from services.cli.run.embedded_redis import embedded_redis
from tests.support.gateways import Gateway, connected_bus, listening, state_where
from tests.support.scenes import CAMERA, camera_online, mood_changed, new_session, offered, playing


async def test_it_ends_soon_although_pages_listen() -> None:
    with embedded_redis() as url, Gateway(url).run() as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client, listening(client) as messages:
            assert (await anext(messages)).event == "snapshot"
            code, seconds = gateway.stop()
            assert [message async for message in messages] == []
    assert code == 0
    assert seconds < 4


async def test_after_a_restart_it_knows_the_present_from_the_streams() -> None:
    with embedded_redis() as url:
        async with connected_bus(url) as bus:
            mood = mood_changed(Mood.SAD, new_session(), phase="start")
            for event in (camera_online(), mood, offered(mood), playing()):
                await bus.publish(event)
        with Gateway(url).run() as gateway:
            async with httpx.AsyncClient(base_url=gateway.url) as client:
                state = await state_where(client, lambda state: state["cameras"])
                async with listening(client, "0badcafe-12") as messages:
                    gap, snapshot = await anext(messages), await anext(messages)
    assert state["cameras"][CAMERA]["mood"]["mood"] == "sad"
    assert len(state["cameras"][CAMERA]["offer"]["songs"]) == 5
    assert state["playback"]["state"] == "playing"
    assert (gap.event, gap.data) == ("gap", {"missed": None})
    assert snapshot.data["cameras"] == state["cameras"]


async def test_without_redis_the_page_is_there_and_commands_say_why_they_fail() -> None:
    with Gateway("unix:///nonexistent/redis.sock").run(ready=False) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client, listening(client) as messages:
            assert (await client.get("/")).status_code == 200
            assert (await client.get("/health/ready")).status_code == 503
            assert (await anext(messages)).data["cameras"] == {}
            for path, body in (("moods", {"mood": "happy"}), ("feedback", {"kind": "like"})):
                reply = await client.post(f"/api/v1/{path}", json=body, timeout=10)
                assert reply.status_code == 503
                assert reply.json() == {"error": "Redis does not answer; try again in a moment"}
            code, seconds = gateway.stop()
    assert code == 0
    assert seconds < 4
