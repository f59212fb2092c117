"""Moods become offers, picks become rankings, requests get answers."""

import logging

from faststream.redis import RedisRouter

from moodstream.contracts.events import FeedbackGiven, MoodChanged, PlaybackChanged, SongPicked
from moodstream.errors import MoodstreamError
from services.recommender.choice import events_made
from services.recommender.choice.events_made import Plan
from services.recommender.feedback_store import Memory
from services.recommender.metrics import Metrics
from services.recommender.reloader import Shelf
from services.recommender.request_handlers import RequestHandlers
from services.recommender.visits import Visits
from shared.bus.connection import Bus
from shared.delivery.consume import consume
from shared.delivery.serve import serve

log = logging.getLogger("moodstream.recommender")

GROUP = "recommender"


def create_router(bus: Bus, shelf: Shelf, memory: Memory, plan: Plan, auto: bool, metrics: Metrics) -> RedisRouter:
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
        metrics.offered(offered)
        if auto:
            await bus.publish(events_made.auto_pick(offered))
        await visits.offered(session, mood.mood)

    @consume(router, bus, SongPicked, GROUP)
    async def rank(pick: SongPicked) -> None:
        try:
            likes = await memory.taste(pick.session_id)
            ranking = events_made.ranking_for(pick, shelf.library, plan, likes)
        except MoodstreamError as error:
            metrics.dropped()
            log.warning("a pick was dropped: %s", error)
            return
        await bus.publish(ranking)
        metrics.ranked(pick)
        await visits.close(pick)

    @consume(router, bus, FeedbackGiven, GROUP)
    async def remember(said: FeedbackGiven) -> None:
        await memory.keep(said)

    @consume(router, bus, PlaybackChanged, GROUP)
    async def hear(playback: PlaybackChanged) -> None:
        await memory.hear(playback)

    answers = RequestHandlers(shelf, memory, plan.limits)
    serve(router, bus, GROUP, answers.by_kind(), answers_strangers=True)
    return router
