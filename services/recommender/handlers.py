"""Moods become offers, picks become rankings, requests get answers."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from faststream.redis import RedisRouter

from moodstream.contracts.events import (
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    RequestMade,
    SongPicked,
    SongsOffered,
)
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import OfferRenewed, RenewOffer
from moodstream.errors import MoodstreamError
from services.recommender.choice import events_made
from services.recommender.choice.circumstances import Circumstances
from services.recommender.choice.events_made import RankingOptions
from services.recommender.choice.history import Past
from services.recommender.choice.learned import Learned, What
from services.recommender.choice.preferences import Preferences
from services.recommender.feedback_store import FeedbackStore
from services.recommender.importing.importer import Importer
from services.recommender.metrics import Metrics
from services.recommender.open_offers import OpenOffers
from services.recommender.reloader import Reloader
from services.recommender.request_handlers import RequestHandlers
from services.recommender.site_memory import Known, SiteMemory
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.delivery.consume import consume
from shared.delivery.serve import serve

log = logging.getLogger("moodstream.recommender")

GROUP = "recommender"

By = tuple[frozenset[str], Preferences, tuple[Past, ...], Mapping[Mood, Learned]]

SAID: Mapping[str, What] = {"like": "taken", "skip": "refused", "wrong_mood": "wrong"}
"""What a site learns from what visitors say."""


def create_router(
    bus: Bus,
    reloader: Reloader,
    feedback: FeedbackStore,
    options: Callable[[], RankingOptions],
    metrics: Metrics,
    desk: SettingsDesk[Any],
    *,
    auto: bool = False,
    learns: bool = False,
    zone: Callable[[], tzinfo],
    importer: Importer,
) -> RedisRouter:
    """The router. ``auto``: whether a pick follows each offer by itself; ``learns``: whether visits teach the site;
    ``zone``: by whose clock they are."""
    router = RedisRouter()
    memory = SiteMemory(bus, feedback, learns=learns)
    visits, histories, site = memory.visits, memory.histories, memory.site
    open_offers = OpenOffers()

    @consume(router, bus, MoodChanged, GROUP)
    async def offer(mood: MoodChanged) -> None:
        session = mood.session_id
        if session is not None and mood.phase == "end":
            await memory.forget(session)
        elif session is not None and events_made.wants_offer(mood):
            await publish_offer(mood, session)

    async def publish_offer(mood: MoodChanged, session: str) -> None:
        chosen_now = mood.reason == "forced" and not mood.repeated
        known = await memory.recall(session, mood.at)
        if not chosen_now and known.last_offer is not None and mood.mood == known.last_offer.mood:
            return
        circumstances = Circumstances.of(mood.at, mood.faces, zone())
        about = await chosen_by(known, circumstances)
        offered = await asyncio.to_thread(events_made.create_offer, mood, reloader.library, *about)
        # what a visitor has chosen by hand does not wait for a choice among songs of a mood that was wrong
        if await visits.open_offer(session, offered.id, replace=chosen_now):
            await publish_opened(offered, session, circumstances)

    async def chosen_by(known: Known, circumstances: Circumstances | None) -> By:
        """What plays at this site, what a visit likes and did until then, and what the site has learned from all."""
        return known.played, known.likes, known.history, await memory.learned(known, circumstances)

    async def learn(session: str | None, mood: Mood | None, song_id: str | None, what: What) -> None:
        """One visit more in which this happened; of songs that the catalogue has."""
        if not learns or session is None or song_id is None:
            return
        if not await asyncio.to_thread(reloader.library.songs.find, [song_id]):
            return
        last = await visits.last_offer(session)
        if (mood := mood or (last and last.mood)) is not None:
            await site.note(session, mood, song_id, what, last and last.circumstances)

    async def publish_opened(offered: SongsOffered, session: str, circumstances: Circumstances) -> None:
        await bus.publish(offered)
        metrics.offered(offered)
        open_offers.add(offered)
        if auto:
            await bus.publish(events_made.create_auto_pick(offered))
        await visits.note_offered(session, offered.mood, circumstances)

    async def replace_lost_songs() -> None:
        """The catalogue is another one: who chooses among songs that it has lost gets others."""
        for offer in await asyncio.to_thread(open_offers.without_their_songs, reloader.library):
            session = offer.session_id
            if session is None or not await visits.is_open(session, offer.id):
                continue
            known = await memory.recall(session, offer.at)
            circumstances = (known.last_offer and known.last_offer.circumstances) or Circumstances.of(
                offer.at, 1, zone()
            )
            about = await chosen_by(known, circumstances)
            offered = await asyncio.to_thread(events_made.replace_offer, offer, reloader.library, *about)
            await visits.open_offer(session, offered.id, replace=True)
            await publish_opened(offered, session, circumstances)

    reloader.when_changed(replace_lost_songs)

    async def renew(request: RenewOffer, made: RequestMade) -> OfferRenewed:
        session = request.session_id
        now = Circumstances.of(made.at, 1, zone())
        known = await memory.recall(session, made.at)
        if known.last_offer is not None and (before := known.last_offer.circumstances) is not None:
            now = replace(now, company=before.company)
        about = await chosen_by(known, now)
        offered = await asyncio.to_thread(events_made.renew_offer, request, made, reloader.library, *about)
        await visits.open_offer(session, offered.id, replace=True)
        await publish_opened(offered, session, now)
        return OfferRenewed(offer_id=offered.id)

    @consume(router, bus, SongPicked, GROUP)
    async def rank(pick: SongPicked) -> None:
        try:
            known = await memory.recall(pick.session_id, pick.at)
            circumstances = known.last_offer and known.last_offer.circumstances
            about = known.likes, known.history, await memory.learned(known, circumstances)
            ranking = await asyncio.to_thread(events_made.create_ranking, pick, reloader.library, options(), *about)
        except MoodstreamError as error:
            metrics.dropped()
            log.warning("a pick was dropped: %s", error)
            return
        await bus.publish(ranking)
        metrics.ranked(pick)
        await histories.note_pick(pick)
        if pick.by == "visitor":
            await learn(pick.session_id, pick.mood, pick.song_id, "taken")
        await visits.close_offer(pick)

    @consume(router, bus, FeedbackGiven, GROUP)
    async def remember_feedback(given: FeedbackGiven) -> None:
        await feedback.add(given)
        await learn(given.session_id, given.mood, given.song_id, SAID[given.kind])

    @consume(router, bus, PlaybackChanged, GROUP)
    async def remember_played(playback: PlaybackChanged) -> None:
        await feedback.note_playback(playback)
        await learn(playback.session_id, None, await histories.note_playback(playback), "heard")

    handlers = RequestHandlers(reloader, feedback, site if learns else None, options().limits, desk)
    serve(router, bus, GROUP, {**handlers.by_kind(), **importer.by_kind(), RenewOffer: renew}, answers_strangers=True)
    return router
