"""Moods become offers, picks become rankings, requests get answers."""

import logging

from faststream.redis import RedisRouter
from pydantic import JsonValue

from moodstream.contracts.events import FeedbackGiven, MoodChanged, PlaybackChanged, SongPicked
from moodstream.errors import MoodstreamError
from services.recommender import request_handlers
from services.recommender.choice import events_made
from services.recommender.choice.events_made import Plan
from services.recommender.feedback_store import Memory
from services.recommender.metrics import Meters
from services.recommender.reloader import Shelf
from services.recommender.visits import Visits
from shared.bus.connection import Bus
from shared.delivery.consume import answer_requests, consume

log = logging.getLogger("moodstream.recommender")

GROUP = "recommender"


def create_router(bus: Bus, shelf: Shelf, memory: Memory, plan: Plan, auto: bool, meters: Meters) -> RedisRouter:
    """The router. ``plan`` says what follows a pick, ``auto`` makes the pick itself."""
    router = RedisRouter()
    visits = Visits(bus)

    @consume(router, bus, MoodChanged, GROUP)
    async def offer(mood: MoodChanged) -> None:
        session = mood.session_id
        if session is not None and mood.phase == "end":
            await visits.forget(session)
            await memory.forget(session)
        elif session is not None and events_made.asks_for_songs(mood):
            await make_offer(mood, session)

    async def make_offer(mood: MoodChanged, session: str) -> None:
        chosen_now = mood.reason == "forced" and not mood.repeated
        if not chosen_now and mood.mood == await visits.last_mood(session):
            return
        offered = events_made.offer_for(mood, shelf.library, await memory.heard(), await memory.taste(session))
        if not await visits.open(session, offered.id):
            return
        await bus.publish(offered)
        meters.offered(offered)
        if auto:
            await bus.publish(events_made.auto_pick(offered))
        await visits.offered(session, mood.mood)

    @consume(router, bus, SongPicked, GROUP)
    async def rank(pick: SongPicked) -> None:
        try:
            likes = await memory.taste(pick.session_id)
            ranking = events_made.ranking_for(pick, shelf.library, plan, likes)
        except MoodstreamError as error:
            meters.dropped()
            log.warning("a pick was dropped: %s", error)
            return
        await bus.publish(ranking)
        meters.ranked(pick)
        await visits.close(pick)

    @consume(router, bus, FeedbackGiven, GROUP)
    async def remember(said: FeedbackGiven) -> None:
        await memory.keep(said)

    @consume(router, bus, PlaybackChanged, GROUP)
    async def hear(playback: PlaybackChanged) -> None:
        await memory.hear(playback)

    async def songs_offer(body: dict[str, JsonValue]) -> JsonValue:
        return request_handlers.offer(body, shelf.library, await memory.heard())

    async def songs_similar(body: dict[str, JsonValue]) -> JsonValue:
        return request_handlers.similar(body, shelf.library)

    async def songs_path(body: dict[str, JsonValue]) -> JsonValue:
        return request_handlers.path(body, shelf.library, plan.limits)

    async def songs_mood(body: dict[str, JsonValue]) -> JsonValue:
        return request_handlers.mood(body, shelf.library)

    async def feedback_list(body: dict[str, JsonValue]) -> JsonValue:
        whose = request_handlers.whose(body, "feedback.list")
        return {"feedback": list(await memory.said(whose.session_id, whose.profile))}

    async def feedback_clear(body: dict[str, JsonValue]) -> JsonValue:
        whose = request_handlers.whose(body, "feedback.clear")
        return {"cleared": await memory.clear(whose.session_id, whose.profile)}

    answer_requests(
        router,
        bus,
        GROUP,
        {
            "songs.offer": songs_offer,
            "songs.similar": songs_similar,
            "songs.path": songs_path,
            "songs.mood": songs_mood,
            "feedback.list": feedback_list,
            "feedback.clear": feedback_clear,
        },
    )
    return router
