"""Moods become offers, picks become rankings, requests get answers."""

import logging

from faststream.redis import RedisRouter
from pydantic import JsonValue

from services.recommender import outcomes, questions
from services.recommender.outcomes import Play
from services.recommender.shelf import Shelf
from services.recommender.visits import Visits
from shared.bus import Bus
from shared.delivery import answer_requests, consume
from shared.errors import MoodstreamError
from shared.events import MoodChanged, SongPicked

log = logging.getLogger("moodstream.recommender")

GROUP = "recommender"


def create_router(bus: Bus, shelf: Shelf, ranked: int, play: Play, auto: bool) -> RedisRouter:
    """The router. ``ranked`` songs follow a pick, ``play`` says which are heard, ``auto`` makes the pick itself."""
    router = RedisRouter()
    visits = Visits(bus)

    @consume(router, bus, MoodChanged, GROUP)
    async def offer(mood: MoodChanged) -> None:
        session = mood.session_id
        if session is not None and mood.phase == "end":
            await visits.forget(session)
        elif session is not None and outcomes.asks_for_songs(mood):
            await make_offer(mood, session)

    async def make_offer(mood: MoodChanged, session: str) -> None:
        chosen_now = mood.reason == "forced" and not mood.repeated
        if not chosen_now and mood.mood == await visits.last_mood(session):
            return
        offered = outcomes.offer_for(mood, shelf.library)
        if not await visits.open(session, offered.id):
            return
        await bus.publish(offered)
        if auto:
            await bus.publish(outcomes.auto_pick(offered))
        await visits.offered(session, mood.mood)

    @consume(router, bus, SongPicked, GROUP)
    async def rank(pick: SongPicked) -> None:
        try:
            ranking = outcomes.ranking_for(pick, shelf.library, ranked, play)
        except MoodstreamError as error:
            log.warning("a pick was dropped: %s", error)
            return
        await bus.publish(ranking)
        await visits.close(pick)

    async def songs_offer(body: dict[str, JsonValue]) -> JsonValue:
        return questions.offer(body, shelf.library)

    async def songs_similar(body: dict[str, JsonValue]) -> JsonValue:
        return questions.similar(body, shelf.library)

    answer_requests(router, bus, GROUP, {"songs.offer": songs_offer, "songs.similar": songs_similar})
    return router
