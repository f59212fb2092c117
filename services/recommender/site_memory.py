"""What is known before a choice of songs, in one round trip to Redis: of the visit, of its profile, and of the site."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from moodstream.contracts.moods import Mood
from services.recommender.choice.circumstances import Circumstances
from services.recommender.choice.events_made import NOTHING
from services.recommender.choice.history import Past
from services.recommender.choice.learned import Learned
from services.recommender.choice.preferences import Preferences
from services.recommender.feedback_store import FeedbackStore, preferences_of_all
from services.recommender.history_store import HistoryStore, history_of
from services.recommender.learned_store import Asked, LearnedStore
from services.recommender.visits import LastOffer, Visits
from shared.bus.connection import Bus
from shared.bus.reading import Reading


class Known(NamedTuple):
    """Before a choice."""

    last_offer: LastOffer | None
    played: frozenset[str]
    """ids of the songs that played lately at this site"""
    likes: Preferences
    history: tuple[Past, ...]
    counts: Asked
    """what the site has counted; empty where it does not learn"""


class SiteMemory:
    """Of all visits and of the site, in Redis."""

    def __init__(self, bus: Bus, feedback: FeedbackStore, *, learns: bool) -> None:
        """``learns``: whether visits teach the site."""
        self._bus, self._learns = bus, learns
        self.feedback = feedback
        self.visits, self.histories, self.site = Visits(bus), HistoryStore(bus, feedback), LearnedStore(bus)

    async def recall(self, session: str | None, until: datetime) -> Known:
        """Of a visit until a moment, or of none."""
        reading = Reading(self._bus.redis)
        played = self.feedback.ask_recently_played(reading)
        counts = self.site.ask(reading) if self._learns else {}
        if session is None:
            await reading.run()
            return Known(None, played.value, Preferences(), (), counts)
        last = self.visits.ask_last_offer(reading, session)
        went, asked = self.histories.ask(reading, session), self.feedback.ask(reading, session)
        await reading.run()
        said = await self.feedback.known(asked)
        return Known(last.value, played.value, preferences_of_all(said), history_of(went.value, said, until), counts)

    async def learned(self, known: Known, circumstances: Circumstances | None) -> Mapping[Mood, Learned]:
        """What the site has learned, as much as it is worth under these circumstances."""
        return await self.site.learned(known.counts, circumstances) if self._learns else NOTHING

    async def forget(self, session: str) -> None:
        """A visit has ended."""
        async with self._bus.redis.pipeline(transaction=False) as all_:
            for store in (self.visits, self.feedback, self.histories, self.site):
                all_.delete(*store.keys_of(session))  # each its own command, since each has its own right
            await all_.execute()
