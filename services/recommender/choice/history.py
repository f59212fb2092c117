"""What happened in a visit, and what follows from it for the songs that come next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import MAX_HISTORY
from services.recommender.models.session import Happened, Kind

HistoryModel = Literal["attention", "mean", "off"]

SONG_S = 210.0
"""How long ago a song is taken to be heard, for each that came after it, where nobody says when."""

JUST_PICKED = 3.0
"""As how many picks the one counts that a ranking follows: it is what the visitor wants now."""


@dataclass(frozen=True)
class Past:
    """Something that happened to a song in a visit, or ever where a profile is named."""

    song_id: str
    kind: Kind
    age_s: float
    mood: Mood | None = None
    """that the song does not have, where that was said"""


def in_order(song_ids: Sequence[str]) -> list[Past]:
    """Songs that were picked one after the other, the oldest first."""
    newest = len(song_ids) - 1
    return [Past(song, "picked", SONG_S * (newest - place)) for place, song in enumerate(song_ids)]


def what_counts(history: Iterable[Past], positions: Mapping[str, int], mood: Mood | None) -> list[Happened]:
    """One event for each song that the catalogue still has, the oldest first: the last thing that was said of it.

    That a song lacks a mood counts where songs of this mood are asked for. Of a long history the end counts.
    """
    last: dict[str, Past] = {}
    for one in sorted(history, key=lambda past: -past.age_s):
        if one.song_id not in positions or (one.kind == "wrong_mood" and one.mood != mood):
            continue
        said = last.get(one.song_id)
        if said is not None and one.kind in ("picked", "heard") and said.kind in ("liked", "skipped"):
            continue  # what a visitor says of a song outweighs that it played
        last.pop(one.song_id, None)
        last[one.song_id] = one
    return [Happened(positions[one.song_id], one.kind, one.age_s) for one in list(last.values())[-MAX_HISTORY:]]
