"""The recommender service."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from services.recommender.catalogue.paths import default_catalogue
from services.recommender.choice.events_made import Plan, Play
from services.recommender.choice.goals import Goal, Limits
from services.recommender.feedback_store import Memory
from services.recommender.handlers import create_router
from services.recommender.metrics import Metrics
from services.recommender.reloader import Shelf
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.settings import Settings, load

if TYPE_CHECKING:
    from services.recommender.choice.library import Choice


class RecommenderSettings(Settings):
    """Settings of the recommender."""

    catalogue: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=default_catalogue,
        description="File of the songs, as `moodstream songs import` writes it; when not set, a file in the user's "
        "data folder, which begins as the sample catalogue.",
    )
    auto: bool = Field(False, description="Pick one of the offered songs at once, for sites where nobody picks.")
    ranked: int = Field(10, ge=1, le=100, description="How many songs are ranked by similarity to the pick.")
    play: Play = Field("top", description="What plays after a pick: its best match (top), or the pick first (pick).")
    similarity: Literal["learned", "standardised", "article"] = Field(
        "learned",
        description="How songs are compared: as playlists join them, by 11 features, or by the article's cosine.",
    )
    song_moods: Literal["listeners", "article", "dbscan", "birch", "gmm", "quadrant"] = Field(
        "listeners", description="How songs get their moods: as listeners name them, or by a method of clusters."
    )
    goal: Goal = Field("match", description="Where the songs lead: stay with the mood (match), lift it, or calm it.")
    goal_max_arousal: float = Field(
        1.0, ge=-1, le=1, description="No song that leads to a goal is more aroused than this."
    )
    explicit: bool = Field(True, description="Whether songs with explicit words may be offered.")
    genres: str = Field("", description="Only these genres, separated by commas; all when empty.")
    year_from: int = Field(0, ge=0, le=9999, description="Only songs of this year or later, where the year is known.")
    year_to: int = Field(9999, ge=0, le=9999, description="Only songs of this year or earlier.")
    songs_allowed: Path | None = Field(None, description="File of the only songs or artists to offer, one a line.")
    songs_blocked: Path | None = Field(None, description="File of songs or artists that are never offered, one a line.")
    heard_minutes: float = Field(60, ge=0, description="A song that played is not offered again for so long.")
    profile_days: int = Field(180, ge=1, le=3650, description="What a named profile likes is forgotten after so long.")

    def choice(self) -> "Choice":
        """How the library is made. Raises MoodstreamError when a list cannot be read."""
        # pandas takes a second to import, for which the other services need not wait.
        from services.recommender.choice.filters import Filters, read_list
        from services.recommender.choice.library import Choice

        genres = frozenset(genre.strip() for genre in self.genres.split(",") if genre.strip())
        allowed, blocked = read_list(self.songs_allowed), read_list(self.songs_blocked) or frozenset()
        filters = Filters(self.explicit, genres, self.year_from, self.year_to, allowed, blocked)
        return Choice(self.similarity, self.song_moods, filters)

    def plan(self) -> Plan:
        return Plan(self.ranked, self.play, self.goal, Limits(self.goal_max_arousal))


def create_service(settings: RecommenderSettings, bus: Bus) -> Service:
    """The recommender; it reads the catalogue before it takes messages, and ends with one line when there is none."""
    shelf = Shelf(settings.catalogue, settings.choice)
    memory = Memory(bus, settings.profile_days, settings.heard_minutes)
    metrics = Metrics(shelf)
    router = create_router(bus, shelf, memory, settings.plan(), settings.auto, metrics)
    return Service("recommender", router, metrics=metrics.registry, prepare=[shelf.load], background=[shelf.watch])


def create() -> tuple[RecommenderSettings, Bus, Service]:
    settings = load(RecommenderSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
