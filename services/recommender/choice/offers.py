"""Which songs of a catalogue are offered for a mood: those that fit it, and what fills up where they are too few."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

import numpy as np

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.catalogue.table import Positions
from services.recommender.choice import sampling
from services.recommender.choice.filters import Mask
from services.recommender.choice.sampling import OFFERED, SURE_MARGIN, fit_weights
from services.recommender.models.clusters import MOOD_POINTS
from services.recommender.models.song_moods import SongMoods

DRAWN_PER_OFFER = 4
"""How many times as many songs are drawn as are offered, where preferences choose among them."""

Order = Callable[[list[int]], list[int]]


class Offers:
    """Draws from the songs that may be offered."""

    def __init__(self, artist: Callable[[int], str], moods: SongMoods, allowed: Mask) -> None:
        self._artist, self._moods, self._allowed = artist, moods, allowed
        self._positions = {mood: at[allowed[at]] for mood in MOODS for at in [moods.positions(mood)]}

    def draw(
        self,
        mood: Mood,
        cause_id: str,
        unwanted: Collection[int],
        prefer: Order | None = None,
        chances: Mapping[int, float] = MappingProxyType({}),
    ) -> list[int]:
        """Positions of five songs by different artists where there are as many, the same for the same cause.

        Songs at the border of the mood come in only where too few others are left, then songs of other moods that
        belong to this one most, and last, where all moods together have too few, also unwanted ones. ``prefer`` puts a
        few more than five into a better order first; ``chances`` are how much likelier than otherwise a song is drawn.
        """
        own = self._positions.get(mood, np.array([], dtype=np.intp))
        own = own[~np.isin(own, list(unwanted))] if unwanted else own
        sure = self._moods.margins[own] >= SURE_MARGIN
        chosen: list[int] = []
        for songs in (own[sure], own[~sure]):
            if len(chosen) < OFFERED:
                drawn = self._draw(songs, mood, cause_id, OFFERED * (DRAWN_PER_OFFER if prefer else 1), chances)
                best = chosen + (prefer(drawn) if prefer else drawn)
                chosen = sampling.one_per_artist(best, self._artist)[:OFFERED]
        return chosen + self._fill(mood, chosen, unwanted) if len(chosen) < OFFERED else chosen

    def _draw(self, songs: Positions, mood: Mood, cause_id: str, count: int, chances: Mapping[int, float]) -> list[int]:
        weights = fit_weights(self._moods.memberships[songs, MOODS.index(mood)])
        if chances:
            weights = weights * [chances.get(song, 1.0) for song in songs.tolist()]
        return sampling.draw_songs(songs, self._artist, cause_id, count, weights)

    def _fill(self, mood: Mood, chosen: list[int], unwanted: Collection[int]) -> list[int]:
        """What is missing, from the nearest moods: wanted songs by other artists first, then any that are allowed."""
        among = np.flatnonzero(self._allowed)
        code = MOODS.index(mood)
        # Where no cluster stands for the mood no song belongs to it, and those nearest to it on the circumplex do.
        away = ((self._moods.plane[among] - MOOD_POINTS[code]) ** 2).sum(axis=1)
        nearest = among[np.lexsort((away, -self._moods.memberships[among, code]))].tolist()
        fresh = [at for at in nearest if at not in unwanted]
        order = sampling.one_per_artist(chosen + fresh, self._artist) + fresh + nearest
        rest = [at for at in dict.fromkeys(order) if at not in chosen]
        return rest[: OFFERED - len(chosen)]
