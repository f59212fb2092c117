"""The client asks the real recommender, and a Redis that knows who may ask."""

import asyncio
import re
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from moodstream import Client, MoodstreamError, RequestRefused
from moodstream.contracts.events import FeedbackGiven
from moodstream.contracts.moods import Mood
from services.cli.redis_client import connected
from shared.contracts.access import acl_file
from tests.client.answering import answering
from tests.support.gateways import Gateway
from tests.support.random_songs import saved, table
from tests.support.recommenders import Site, recommender
from tests.support.scenes import mood_changed


async def ask_everything(client: Client) -> None:
    offer = await client.offer("calm")
    assert offer.mood is Mood.CALM
    assert len(offer.songs) == 5
    first = offer.songs[0]
    near = await client.similar(first.id, n=3, mood=Mood.HAPPY)
    assert len(near.ranking) == 3
    assert first not in [one.song for one in near.ranking]
    way = await client.path(first.id, "lift", n=4)
    assert (way.id, way.goal, len(way.songs)) == (first.id, "lift", 4)
    told = await client.mood_of(first.id)
    assert told.mood is Mood.CALM
    assert sum(told.memberships.values()) == pytest.approx(1, abs=0.01)
    assert told.song == first
    found = await client.search(f"sonk {first.id[-5:]}", n=3)
    assert found.found[0].song == first
    assert (found.found[0].mood, found.found[0].exact) == (Mood.CALM, False)
    assert [one.exact for one in (await client.search(first.title)).found][:1] == [True]
    with pytest.raises(RequestRefused, match="no song"):
        await client.mood_of("no such")


async def test_the_recommender_is_asked_over_both_wires(redis_url: str, tmp_path: Path) -> None:
    running = recommender(redis_url, saved(tmp_path))
    with Gateway(redis_url).run() as gateway:
        async with running as site, Client(gateway.url, timeout_s=20) as web, Client(redis_url, timeout_s=20) as redis:
            for client in (web, redis):
                await ask_everything(client)
            await unknown_songs_are_refused(gateway.url)
            await like_a_song(site)
            async with asyncio.timeout(5):
                while not (kept := (await redis.feedback(session_id=site.session)).feedback):
                    await asyncio.sleep(0.05)
            assert [(one["kind"], one["song_id"]) for one in kept] == [("like", "7")]
            assert (await web.feedback(session_id=site.session)).feedback == kept
            assert (await web.clear_feedback(session_id=site.session)).cleared == 1
            assert (await redis.feedback(session_id=site.session)).feedback == ()


async def unknown_songs_are_refused(url: str) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/api/v1") as http:
        refused = await http.post("/feedback", json={"kind": "like", "song_id": "no such"})
        taken = await http.post("/feedback", json={"kind": "like", "song_id": table(200)["id"][0]})
    assert (refused.status_code, taken.status_code) == (404, 202)
    assert refused.json() == {"error": "no song with the id 'no such' in the catalogue"}


async def like_a_song(site: Site) -> None:
    await site.bus.publish(mood_changed(Mood.CALM, site.session))
    await site.publish_and_wait(FeedbackGiven(kind="like", song_id="7", session_id=site.session))


async def test_where_redis_knows_its_users_the_operator_may_ask_and_others_are_told_no(redis_url: str) -> None:
    users = ("operator", "subscriber")
    text = acl_file("mood:", "both", {user: sha256(b"secret").hexdigest() for user in users})
    with connected(redis_url) as client:
        for line in text.splitlines():
            _, user, *rights = re.findall(r"\([^)]*\)|\S+", line)
            if user in users:
                client.execute_command("ACL", "SETUSER", user, *rights)
    async with answering(redis_url):
        async with Client(redis_url.replace("unix://", "unix://operator:secret@")) as asking:
            assert len((await asking.offer("calm")).songs) == 2
        async with Client(redis_url.replace("unix://", "unix://subscriber:secret@")) as asking:
            with pytest.raises(MoodstreamError, match=r"unix://\S+: No permissions") as caught:
                await asking.offer("calm")
    assert "secret" not in str(caught.value)
