"""Which events are public, and a filter for them by type, camera and mood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moodstream.contracts.events import (
    CommandHeard,
    Event,
    FeedbackGiven,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
    VoiceRead,
    WordsRead,
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

HEARD: tuple[type[Event], ...] = (WordsRead, VoiceRead)
"""What words and voices tell: on Redis alone, for whom its user lets read that. Only where they are named."""

_NAMED: tuple[type[Event], ...] = (*HEARD, CommandHeard)

ON_REDIS: Mapping[str, type[Event]] = KINDS | {kind.__name__: kind for kind in _NAMED}


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
    types: Sequence[str] | None,
    cameras: Sequence[str] | None,
    moods: Sequence[str] | None,
    known: Mapping[str, type[Event]] = KINDS,
) -> EventFilter:
    """A filter from names; ``all`` are the public events, whatever is ``known``.

    Raises MoodstreamError when there is no such type or mood.
    """
    for name in types or ():
        if name != "all" and name not in known:
            raise MoodstreamError(f"{name}: no type of event; choose from: {', '.join(known)}, all")
    for name in moods or ():
        if name not in tuple(Mood):
            raise MoodstreamError(f"{name}: no mood; choose from: {', '.join(Mood)}")
    named = tuple(known[name] for name in types or () if name != "all")
    kinds = tuple(dict.fromkeys((*RECORDED, *named))) if not types or "all" in types else named
    return EventFilter(kinds, frozenset(cameras or ()), frozenset(moods or ()))
