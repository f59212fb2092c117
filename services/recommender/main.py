"""The recommender service."""

import sys
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from moodstream.contracts.requests import Goal
from services.recommender.catalogue.paths import default_catalogue
from services.recommender.choice.events_made import Play, RankingOptions
from services.recommender.choice.goals import Limits
from services.recommender.choice.seasons import DEFAULT, in_season
from services.recommender.feedback_store import FeedbackStore
from services.recommender.handlers import create_router
from services.recommender.importing.importer import Importer
from services.recommender.metrics import Metrics
from services.recommender.reloader import Reloader
from services.recommender.sources import check_url, source_of
from shared.app.follow_settings import follow_settings
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.settings import AUTO_TEXT, Settings, load
from shared.site_file import LIVE, LIVE_LINES
from shared.time_zones import TIME_ZONE_TEXT, time_zone_of

if TYPE_CHECKING:
    from services.recommender.choice.library import LibraryOptions


class RecommenderSettings(Settings):
    """Settings of the recommender."""

    catalogue: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=default_catalogue,
        description="File with the songs, written by `moodstream songs import`; when not set, a file in the user's "
        "data folder that starts as the sample catalogue.",
    )
    songs_url: Annotated[str | None, AfterValidator(check_url)] = Field(
        None,
        repr=False,
        description="Address of PostgreSQL with pgvector that holds the songs instead of a file, such as "
        "postgresql://USER:PASSWORD@HOST/DATABASE (docs/scaling.md).",
    )
    auto: bool = Field(False, description=AUTO_TEXT)
    ranked: int = Field(10, ge=1, le=100, description="Number of songs to rank by similarity to the pick.")
    play: Play = Field(
        "top", description="What plays first after a pick: its best match (top) or the pick itself (pick)."
    )
    similarity: Literal["learned", "standardised", "article"] = Field(
        "learned",
        description="How songs are compared: by a model learned from playlists (learned), by 11 standardised features "
        "(standardised) or by the article's cosine (article).",
    )
    history_model: Literal["attention", "mean", "off"] = Field(
        "attention",
        description="How earlier songs of a visit change a ranking: by a model that weighs them by how they fit "
        "together (attention), all alike (mean), or by likes and skips alone (off).",
    )
    song_moods: Literal["listeners", "article", "dbscan", "birch", "gmm", "quadrant"] = Field(
        "listeners",
        description="How songs get their moods: by a model of how listeners name them (listeners), by the quadrant of "
        "valence and energy (quadrant) or by clustering (article, dbscan, birch, gmm).",
    )
    goal: Goal = Field(
        "match",
        json_schema_extra=LIVE,
        description="Where the music leads: stay with the mood (match), lift it (lift) or calm it (calm).",
    )
    goal_max_arousal: float = Field(
        1.0, ge=-1, le=1, description="Maximum arousal of songs that lead to a goal, -1 to 1."
    )
    explicit: bool = Field(
        True,
        json_schema_extra=LIVE,
        description="Also offer songs with explicit lyrics or rude titles; kiosks and containers set this to false.",
    )
    seasons: str = Field(
        DEFAULT,
        json_schema_extra=LIVE,
        description="First and last day on which songs of a season (christmas, new-year, halloween, easter) are "
        "offered. Seasons that are not listed are never offered; `always` offers all of them all year.",
    )
    oddities: bool = Field(
        False,
        json_schema_extra=LIVE,
        description="Offer intros, skits, spoken word, karaoke, noise and pieces of a few seconds, too.",
    )
    genres: str = Field(
        "", json_schema_extra=LIVE, description="Offer only these genres, separated by commas; empty for all."
    )
    year_from: int = Field(
        0, ge=0, le=9999, description="Offer no songs older than this year; songs of unknown year are still offered."
    )
    year_to: int = Field(
        9999, ge=0, le=9999, description="Offer no songs newer than this year; songs of unknown year are still offered."
    )
    songs_allowed: Path | None = Field(None, description="File with the only songs or artists to offer, one per line.")
    songs_blocked: Path | None = Field(None, description="File with songs or artists never to offer, one per line.")
    block: str = Field(
        "",
        max_length=100_000,
        json_schema_extra=LIVE_LINES,
        description="Songs (ids) or artists never to offer, one per line, beside those in MOODSTREAM_SONGS_BLOCKED.",
    )
    allow: str = Field(
        "",
        max_length=100_000,
        json_schema_extra=LIVE_LINES,
        description="The only songs (ids) or artists to offer, one per line, beside those in MOODSTREAM_SONGS_ALLOWED.",
    )
    corrected: str = Field(
        "",
        max_length=100_000,
        json_schema_extra=LIVE_LINES,
        description="Songs whose mood the operator knows better, one per line: its id, a space, and angry, happy, sad "
        "or calm.",
    )
    heard_minutes: float = Field(
        60, ge=0, description="Minutes before a song that has played is offered again; 0 for no wait."
    )
    learn: bool = Field(
        False,
        description="Learn from all visitors which songs of a mood are picked, skipped or called wrong, and offer "
        "songs accordingly. Only counts are kept; they halve every 30 days.",
    )
    time_zone: str = Field("", json_schema_extra=LIVE, description=TIME_ZONE_TEXT)
    profile_days: int = Field(180, ge=1, le=3650, description="Days to keep what a named profile likes.")

    def library_options(self, today: date | None = None) -> "LibraryOptions":
        """How the library is built on a day, today if none is given.

        Raises MoodstreamError when a list cannot be read or the seasons make no sense.
        """
        # pandas takes a second to import, for which the other services need not wait.
        from services.recommender.choice.filters import Filters, parse_list, read_list
        from services.recommender.choice.library import LibraryOptions
        from services.recommender.models.corrections import parse_corrections

        genres = frozenset(genre.strip() for genre in self.genres.split(",") if genre.strip())
        allowed, blocked = read_list(self.songs_allowed), read_list(self.songs_blocked) or frozenset()
        if only := parse_list(self.allow):
            allowed = only | (allowed or frozenset())
        blocked |= parse_list(self.block)
        now = in_season(self.seasons, today or self.today())
        years = self.year_from, self.year_to
        filters = Filters(self.explicit, genres, *years, allowed, blocked, now, self.oddities)
        corrected = parse_corrections(self.corrected)
        return LibraryOptions(self.similarity, self.song_moods, filters, self.history_model, corrected)

    def zone(self) -> tzinfo:
        """The site's. Raises SettingError."""
        return time_zone_of(self.time_zone)

    def today(self) -> date:
        """At the site."""
        return datetime.now(self.zone()).date()

    def ranking_options(self) -> RankingOptions:
        """How songs are ranked after a pick."""
        return RankingOptions(self.ranked, self.play, self.goal, Limits(self.goal_max_arousal))


def create_service(settings: RecommenderSettings, bus: Bus) -> Service:
    """The recommender; it reads the catalogue before it takes messages, and ends with one line when there is none."""
    now = [settings]
    reloader = Reloader(
        source_of(settings.songs_url, settings.catalogue), settings.library_options, lambda: now[0].today()
    )
    feedback = FeedbackStore(bus, settings.profile_days, settings.heard_minutes)
    metrics = Metrics(reloader)

    def check(tried: RecommenderSettings) -> None:
        tried.ranking_options()
        reloader.check(tried.library_options())

    desk = SettingsDesk(settings, check)
    importer = Importer(settings.catalogue, reloader, in_database=settings.songs_url is not None)
    router = create_router(
        bus,
        reloader,
        feedback,
        lambda: now[0].ranking_options(),
        metrics,
        desk,
        auto=settings.auto,
        learns=settings.learn,
        zone=lambda: now[0].zone(),
        importer=importer,
    )

    def apply(changed: RecommenderSettings) -> None:
        now[0] = changed
        reloader.change_options(changed.library_options)

    async def follow_site_settings() -> None:
        await follow_settings(bus, settings, apply)

    background = [reloader.watch, follow_site_settings, importer.run]
    return Service("recommender", router, metrics=metrics.registry, prepare=[reloader.load], background=background)


def create() -> tuple[RecommenderSettings, Bus, Service]:
    settings = load(RecommenderSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
