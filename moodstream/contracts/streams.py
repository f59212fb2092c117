"""The streams: which event goes where, and how many entries are kept. The names are fixed; the prefix is a setting."""

from collections.abc import Mapping
from dataclasses import dataclass

from moodstream.contracts.events import (
    Captured,
    CommandHeard,
    Event,
    FacesRead,
    FeedbackGiven,
    FrameCaptured,
    MoodChanged,
    PlaybackChanged,
    ReplyGiven,
    RequestMade,
    SongPicked,
    SongsOffered,
    SongsRanked,
    SoundCaptured,
    StatusChanged,
    VoiceRead,
    WordsRead,
)

FRAMES, SOUNDS = "frames", "sounds"
CAPTURES: Mapping[type[Captured], str] = {FrameCaptured: FRAMES, SoundCaptured: SOUNDS}
"""Streams on the server that writes nothing to a disk; each entry is deleted while it is read."""
SOUNDS_KEPT = 8
"""how many sounds wait at most; of frames that is a setting"""
SELF_TEST = "self-test"
"""Camera of the pictures that only show whether pictures are read: no visit comes of it."""
DEAD_SUFFIX = ":dead"
DEAD_KEPT = 1_000


@dataclass(frozen=True)
class Stream:
    name: str
    """without the prefix of the site"""
    kept: int
    """about how many entries stay"""


STREAMS: Mapping[type[Event], Stream] = {
    FacesRead: Stream("readings", 1_000),
    WordsRead: Stream("words", 1_000),
    VoiceRead: Stream("voices", 1_000),
    CommandHeard: Stream("commands", 1_000),
    MoodChanged: Stream("moods", 100_000),
    SongsOffered: Stream("offers", 10_000),
    SongPicked: Stream("picks", 10_000),
    SongsRanked: Stream("rankings", 10_000),
    FeedbackGiven: Stream("feedback", 100_000),
    PlaybackChanged: Stream("playback", 10_000),
    StatusChanged: Stream("status", 10_000),
    RequestMade: Stream("requests", 1_000),
    ReplyGiven: Stream("replies", 1_000),
}

READINGS: tuple[type[Event], ...] = (FacesRead, WordsRead, VoiceRead)
"""What is read from people, of which moods are made."""

FROM_PEOPLE: tuple[type[Event], ...] = (*READINGS, CommandHeard)
"""Kept for seconds, and for nobody but the services."""

EVENT_OF_STREAM: Mapping[str, type[Event]] = {stream.name: event for event, stream in STREAMS.items()}
