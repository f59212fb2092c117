"""Simulated visitors in place of a camera, with the real recommender and player behind them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from moodstream.contracts.events import (
    Event,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
)
from moodstream.contracts.moods import Mood
from services.camera.drawn.simulated_visitors import SimulatedVisitors
from services.player.main import PlayerSettings
from services.player.main import create_service as player
from services.recommender.main import RecommenderSettings
from services.recommender.main import create_service as recommender
from shared.app.service import build_app, create_bus
from shared.bus.connection import Bus
from shared.settings import load
from tests.support.bridges import until
from tests.support.gateways import connected_bus
from tests.support.random_songs import saved
from tests.support.scenes import mood_changed, new_session, offered

E = TypeVar("E", bound=Event)

KINDS: tuple[type[Event], ...] = (MoodChanged, SongsOffered, SongPicked, SongsRanked, PlaybackChanged, StatusChanged)


class Published:
    """Follows everything that is published."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self.events = bus, list[Event]()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def run(self) -> None:
        async for entry in self._bus.follow(dict.fromkeys(KINDS, "0-0")):
            if entry is not None:
                self.events.append(entry[1])


@contextlib.asynccontextmanager
async def visitors(bus: Bus, speed: float) -> AsyncIterator[Published]:
    published, visiting = Published(bus), SimulatedVisitors(bus, "camera-1", speed)
    tasks = [asyncio.create_task(job()) for job in (published.run, visiting.follow_events, visiting.publish_visits)]
    try:
        yield published
    finally:
        while not all(task.done() for task in tasks):  # as shared.app.service does: libraries lose cancellations
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.5)


async def test_they_pick_from_real_offers_and_the_rest_follows(redis_url: str, tmp_path: Path) -> None:
    songs = load(RecommenderSettings, redis_url=redis_url, catalogue=saved(tmp_path))
    bus = create_bus(songs)
    plays = load(PlayerSettings, redis_url=redis_url, player="log")
    app = build_app(bus, recommender(songs, bus), player(plays, bus))
    async with app.web.router.lifespan_context(app.web):
        await asyncio.wait_for(app.ready.wait(), 30)
        async with visitors(bus, speed=20) as published:
            await until(lambda: len([one for one in published.of(PlaybackChanged) if one.song]) >= 2, 30)
    offers = {event.id: event for event in published.events if isinstance(event, SongsOffered)}
    sessions = {event.session_id for event in published.events if isinstance(event, MoodChanged)}
    picks = [event for event in published.events if isinstance(event, SongPicked)]
    assert {offer.session_id for offer in offers.values()} <= sessions
    assert all("Song" in song.title for offer in offers.values() for song in offer.songs)  # of the real catalogue
    for pick in picks:
        assert pick.song_id in {song.id for song in offers[pick.offer_id].songs}
        assert pick.session_id == offers[pick.offer_id].session_id
    assert len({pick.offer_id for pick in picks}) == len(picks)
    assert {ranked.offer_id for ranked in published.events if isinstance(ranked, SongsRanked)} <= set(offers)
    for mood in published.of(MoodChanged):
        assert mood.since <= mood.at < mood.expires_at
    [status] = published.of(StatusChanged)
    assert (status.code, status.reason) == ("simulated", "simulated visitors")


async def test_one_whose_offer_comes_late_picks_when_it_comes(redis_url: str) -> None:
    """As at the first start of a demo, where the recommender still reads its catalogue."""
    async with connected_bus(redis_url) as bus, visitors(bus, speed=2) as published:
        await until(lambda: len(published.of(MoodChanged)) >= 2, 20)  # this visitor would have picked after 2.4 s
        await asyncio.sleep(0.5)
        assert published.of(SongPicked) == []
        offer = offered(published.of(MoodChanged)[0])
        await bus.publish(offer)
        await until(lambda: published.of(SongPicked), 5)
        await bus.publish(offered(published.of(MoodChanged)[1]))
        await asyncio.sleep(0.5)
        [pick] = published.of(SongPicked)
    assert pick.offer_id == offer.id
    assert pick.song_id in {song.id for song in offer.songs}


async def test_they_step_back_for_a_mood_chosen_by_hand(redis_url: str) -> None:
    async with connected_bus(redis_url) as bus, visitors(bus, speed=20) as published:
        await until(lambda: len(published.of(MoodChanged)) >= 3, 20)
        session = new_session()
        by_hand = mood_changed(Mood.CALM, session, reason="forced", phase="start")
        await bus.publish(by_hand)
        await until(lambda: by_hand in published.events)
        await asyncio.sleep(0.2)  # what was on its way has come
        count = len(published.of(MoodChanged))
        await asyncio.sleep(1)
        assert len(published.of(MoodChanged)) == count
        before = {event.session_id for event in published.events}
        await bus.publish(mood_changed(Mood.NOBODY, session, phase="end"))
        await until(lambda: len(published.of(MoodChanged)) >= count + 3, 20)
        next_one = published.of(MoodChanged)[count + 1]
    assert next_one.phase == "start"
    assert next_one.session_id not in before
