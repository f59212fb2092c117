"""The recommender service."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.recommender.handlers import create_router
from services.recommender.outcomes import Play
from services.recommender.places import default_catalogue
from services.recommender.shelf import Shelf
from shared.app import Service, create_bus, run_service
from shared.bus import Bus
from shared.settings import Settings, load


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
    similarity: Literal["standardised", "article"] = Field(
        "standardised", description="How songs are compared: by all 11 features, or by the article's cosine."
    )


def create_service(settings: RecommenderSettings, bus: Bus) -> Service:
    """The recommender; it reads the catalogue before it takes messages, and ends with one line when there is none."""
    shelf = Shelf(settings.catalogue, settings.similarity)
    router = create_router(bus, shelf, settings.ranked, settings.play, settings.auto)
    return Service("recommender", router, prepare=[shelf.load], background=[shelf.watch])


def create() -> tuple[RecommenderSettings, Bus, Service]:
    settings = load(RecommenderSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
