"""Which songs a site may offer at all: explicit words, genre, era, and what the operator allows or blocks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.occasions import matches, out_of_season
from services.recommender.choice.outliers import outliers

Mask = npt.NDArray[np.bool_]

RUDE = "|".join(
    (
        r"f(?:u|\*|-)+c?(?:\*|-)?k(?:s|ed|er|ers|in|in'|ing|boy|boi)?\b|\bmother ?f|\bmuthaf|\bf\*\*|\bwtf\b|\bstfu\b",
        r"\b(?:bull)?sh(?:i|\*)t|\bb(?:i|\*)t?(?:\*+)?ch(?:es|in|ing|y)?\b|\bbiatch|\bass(?:es|hole)?\b|\b(?:bad|dumb|jack|fat)ass",
        r"\bn(?:i|\*)gg|\bpuss(?:y|ies)\b|\bdick(?:s|head)?\b|\bcunt|\bwhores?\b|\bsluts?\b|\bhoes?\b|\bcock(?:s|sucker)\b",
        r"\bsex\b|\bporn|\borgasm|\bblow ?job|\btitt(?:y|ies)\b|\bboners?\b|\bretard",
    )
)
"""Words in titles that a public screen should not show, in RE2's syntax; tables seldom say which songs are explicit."""


@dataclass(frozen=True)
class Filters:
    """What songs must be; a song of which the table does not say it is not held against."""

    explicit: bool = True
    """whether songs with explicit words may be offered"""
    genres: frozenset[str] = frozenset()
    """only these, if any are named"""
    year_from: int = 0
    year_to: int = 9999
    allowed: frozenset[str] | None = None
    """only these songs and artists, when there is a list"""
    blocked: frozenset[str] = frozenset()
    """never these songs and artists"""
    seasons: frozenset[str] | None = None
    """of songs for a season only those of these; None for all"""
    oddities: bool = False
    """whether intros, spoken word, karaoke and the like may be offered"""

    def check(self, catalogue: Catalogue) -> Mask:
        """The same. Raises MoodstreamError when none passes."""
        good = self.mask(catalogue)
        refuse_none(bool(good.any()))
        return good

    def mask(self, catalogue: Catalogue) -> Mask:
        """bool [n]: the songs that pass."""
        frame = catalogue.frame
        good = np.ones(len(frame), dtype=bool)
        if not self.explicit:
            good &= (frame["explicit"] != 1).to_numpy() & ~matches(frame["title"], RUDE)
        if self.genres:
            good &= frame["genre"].str.casefold().isin([genre.casefold() for genre in self.genres]).to_numpy()
        year = frame["year"].to_numpy()
        good &= (year == 0) | ((year >= self.year_from) & (year <= self.year_to))
        if self.allowed is not None:
            good &= _named(catalogue, self.allowed)
        if self.blocked:
            good &= ~_named(catalogue, self.blocked)
        if self.seasons is not None:
            good &= ~out_of_season(frame["title"], self.seasons)
        return good if self.oddities else good & ~outliers(catalogue)


def refuse_none(some: bool) -> None:
    """Raises MoodstreamError where no song may be offered."""
    if not some:
        raise MoodstreamError("the filters and lists of songs leave no song to offer")


def read_list(path: Path | None) -> frozenset[str] | None:
    """One id or artist a line; lines that begin with # are remarks. Raises MoodstreamError."""
    if path is None:
        return None
    try:
        return parse_list(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MoodstreamError(f"cannot read the list of songs {path}: {error}") from None


def parse_list(text: str) -> frozenset[str]:
    """The lines of such a list."""
    lines = (line.strip() for line in text.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _named(catalogue: Catalogue, names: frozenset[str]) -> Mask:
    artists = {name.casefold() for name in names}
    of_artist = [not artists.isdisjoint(artist.split(";")) for artist in catalogue.frame["artist"].str.casefold()]
    return np.asarray(catalogue.frame["id"].isin(names).to_numpy() | np.array(of_artist, dtype=bool))
