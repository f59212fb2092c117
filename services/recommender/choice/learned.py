"""What a site has learned from its visitors together: which songs of a mood they take, skip, or say are of another.

Counts of visits, never of persons. They shift later offers and rankings within bounds; each shift is drawn at random
from what the counts leave open (W. Thompson, Biometrika 1933), so that a song which few have met is tried again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from moodstream.contracts.events import uuid_of
from moodstream.contracts.moods import Mood
from services.recommender.models.vectors import Floats

What = Literal["taken", "heard", "refused", "wrong"]
"""Picked or liked; heard to its end; skipped; said not to have the mood."""

CAUTION = 4.0
"""Visits that what is known beforehand counts as: half of them take a song, or share it out by its memberships."""
MAX_FACTOR = 4.0
"""How much oftener or rarer than otherwise a song is drawn, at most."""
MIN_BELIEVED = 0.5
"""Share of a song's membership in a mood that must be left after what visitors said, or it is not offered for it."""
MAX_SHIFT = 0.1
"""How far a similarity moves at most, and a score by how many of its standard deviations."""


@dataclass(frozen=True)
class Counts:
    """Visits, of late; older ones have faded."""

    taken: float = 0.0
    heard: float = 0.0
    refused: float = 0.0
    wrong: float = 0.0

    @property
    def good(self) -> float:
        """Who hears a song to its end may just not have minded."""
        return self.taken + self.heard / 2


@dataclass(frozen=True)
class Learned:
    """Of one mood, by the id of the song."""

    songs: Mapping[str, Counts] = field(default_factory=dict)

    def not_of_the_mood(self, memberships: Mapping[str, float]) -> set[str]:
        """Songs whose membership in the mood visitors do not believe any more."""
        return {
            song
            for song, counts in self.songs.items()
            if counts.wrong
            and song in memberships
            and believed(memberships[song], counts) < MIN_BELIEVED * memberships[song]
        }

    def leanings(self, songs: Iterable[str], cause_id: str) -> Floats:
        """[n] -1..1: how a site leans to or from each song, drawn anew for each cause and the same for the same one."""
        random = np.random.default_rng((uuid_of(cause_id).int, 1))
        leanings = []
        for song in songs:
            counts = self.songs.get(song)
            half = CAUTION / 2
            leanings.append(2 * random.beta(half + counts.good, half + counts.refused) - 1 if counts else 0.0)
        return np.array(leanings)


NOTHING_LEARNED = Learned()


def believed(membership: float, counts: Counts) -> float:
    """The membership of a song in a mood, after so many visitors took it in that mood or said that it is wrong."""
    known = CAUTION * membership + counts.good / 4
    return known / (CAUTION + counts.good / 4 + counts.wrong)


def chances(leanings: Floats) -> Floats:
    """How much likelier each song is to be drawn, from a ``MAX_FACTOR``-th to ``MAX_FACTOR`` times."""
    return np.asarray(MAX_FACTOR**leanings)


def by_mood(entries: Iterable[tuple[Mood, str, What, float]]) -> dict[Mood, Learned]:
    """From single counts."""
    found: dict[Mood, dict[str, dict[str, float]]] = {}
    for mood, song, what, count in entries:
        counts = found.setdefault(mood, {}).setdefault(song, {})
        counts[what] = counts.get(what, 0.0) + count
    return {mood: Learned({song: Counts(**one) for song, one in songs.items()}) for mood, songs in found.items()}
