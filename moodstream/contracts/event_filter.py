"""Which events are public, and a filter for them by type, camera and mood."""

from collections.abc import Sequence
from dataclasses import dataclass

from moodstream.contracts.events import (
    Event,
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
)
from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError

SHOWN: tuple[type[Event], ...] = (
    MoodChanged,
    SongsOffered,
    SongPicked,
    SongsRanked,
    PlaybackChanged,
    StatusChanged,
)
"""What a live view shows."""

RECORDED: tuple[type[Event], ...] = (*SHOWN, FeedbackGiven)
"""The public events: on every wire, and in recordings. Readings of faces, requests and replies are on Redis alone."""

KINDS = {kind.__name__: kind for kind in RECORDED}


@dataclass(frozen=True)
class EventFilter:
    """Called with an event, says whether it passes; an empty set lets all pass.

    An event without a mood passes no filter by moods.
    """

    kinds: tuple[type[Event], ...]
    cameras: frozenset[str]
    moods: frozenset[str]

    def __call__(self, event: Event) -> bool:
        camera = getattr(event, "camera_id", None)
        if isinstance(event, StatusChanged):
            camera = event.part
        mood = getattr(event, "mood", None)
        return (
            isinstance(event, self.kinds)
            and (not self.cameras or camera in self.cameras)
            and (not self.moods or mood in self.moods)
        )


def event_filter(
    types: Sequence[str] | None, cameras: Sequence[str] | None, moods: Sequence[str] | None
) -> EventFilter:
    """A filter from names. Raises MoodstreamError when there is no such type or mood."""
    for name in types or ():
        if name != "all" and name not in KINDS:
            raise MoodstreamError(f"{name}: no type of event; choose from: {', '.join(KINDS)}, all")
    for name in moods or ():
        if name not in tuple(Mood):
            raise MoodstreamError(f"{name}: no mood; choose from: {', '.join(Mood)}")
    kinds = RECORDED if not types or "all" in types else tuple(KINDS[name] for name in types)
    return EventFilter(kinds, frozenset(cameras or ()), frozenset(moods or ()))
