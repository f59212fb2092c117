"""A catalogue with all that is worked out from it once: moods, rankings, reasons, what may be offered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.catalogue.table import Catalogue, Floats, Positions
from services.recommender.choice.after_history import AfterHistory, Candidates
from services.recommender.choice.filters import Filters, Mask
from services.recommender.choice.history import HistoryModel
from services.recommender.choice.offers import Offers
from services.recommender.choice.ranking import RANKINGS, Similarity
from services.recommender.choice.reasons import Reasons
from services.recommender.choice.search import SongSearch
from services.recommender.choice.song_library import SongLibrary
from services.recommender.models import mood_cache
from services.recommender.models.corrections import correct
from services.recommender.models.session import SessionModel, SessionRanking, kept_of
from services.recommender.models.song_moods import Method, SongMoods
from services.recommender.models.vectors import Embedding


@dataclass(frozen=True)
class LibraryOptions:
    """How a library is built."""

    similarity: Similarity = "learned"
    method: Method = "listeners"
    filters: Filters = field(default_factory=Filters)
    history: HistoryModel = "attention"
    corrected: Mapping[str, Mood] = field(default_factory=dict)
    """moods that the operator knows better, by the ids of songs"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Library(SongLibrary):
    """All in this process's memory."""

    catalogue: Catalogue
    points: Floats

    @classmethod
    def build(
        cls, catalogue: Catalogue, options: LibraryOptions | None = None, beside: Path | None = None
    ) -> "Library":
        """Takes about a second for 42 k songs. Raises MoodstreamError when it finds no moods, or may offer nothing.

        Moods that take long to find are cached ``beside`` this file.
        """
        options = options or LibraryOptions()
        moods = correct(mood_cache.load_or_fit(catalogue, options.method, beside), catalogue, options.corrected)
        allowed = options.filters.check(catalogue)
        embedding = Embedding.load()
        points = embedding.points(catalogue.inputs)
        catalogue.prepare()  # here, which is before the service is ready and in a thread of its own
        make = RANKINGS[options.similarity](catalogue, points, embedding.typical)
        whole, reasons, after_history = make(np.flatnonzero(allowed)), Reasons(catalogue.standardised), None
        if options.history != "off":
            model, attend = SessionModel.load(), options.history == "attention"
            kept = kept_of(model.vectors(catalogue.inputs, *catalogue.names), points)
            ranking = SessionRanking(model, kept, embedding.typical, attend=attend)
            candidates = Candidates(ranking, lambda mood: _candidates(moods, allowed, mood))
            after_history = AfterHistory(catalogue, candidates, whole, reasons)
        return cls(
            songs=catalogue,
            catalogue=catalogue,
            moods=moods,
            whole=whole,
            of_mood={mood: make(_candidates(moods, allowed, mood)) for mood in MOODS},
            reasons=reasons,
            allowed=allowed,
            offers=Offers(catalogue.artist, moods, allowed),
            points=points,
            typical=embedding.typical,
            text_search=_LaterSearch(catalogue),
            after_history=after_history,
        )


class _LaterSearch:
    """Made when somebody searches for the first time."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def find(self, text: str, count: int) -> list[tuple[int, bool]]:
        return self._search.find(text, count)

    @cached_property
    def _search(self) -> SongSearch:
        frame = self._catalogue.frame
        return SongSearch(frame["title"].tolist(), frame["artist"].tolist())


def _candidates(moods: SongMoods, allowed: Mask, mood: Mood | None) -> Positions:
    if mood is None:
        return np.flatnonzero(allowed)
    of_mood = moods.positions(mood)
    return of_mood[allowed[of_mood]]
