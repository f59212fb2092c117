"""What is true now, for those who are told states and not events: MQTT and OSC."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from moodstream.contracts.events import Event, FacesRead, MoodChanged, PlaybackChanged, StatusChanged
from moodstream.contracts.moods import Mood

CAMERAS_KEPT = 64

E = TypeVar("E", bound=Event)

Listener = Callable[[Event], None]


@dataclass
class Present:
    """The newest event of each kind and camera; ``listeners`` hear every event after it was taken in."""

    moods: dict[str, MoodChanged] = field(default_factory=dict)
    faces: dict[str, FacesRead] = field(default_factory=dict)
    playback: PlaybackChanged | None = None
    visitors: set[str] = field(default_factory=set)
    """cameras of browsers: their names are never used again"""
    listeners: list[Listener] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case MoodChanged():
                _put(self.moods, event.camera_id, event)
            case FacesRead():
                _put(self.faces, event.camera_id, event)
            case PlaybackChanged():
                self.playback = event
            case StatusChanged(service="gateway", part=str(camera_id)):
                self._visitor(camera_id, event.state == "offline")
        for listener in self.listeners:
            listener(event)

    def expire(self, now: datetime) -> None:
        """A mood whose successor is overdue is nobody's any more: whoever told it has gone silent."""
        for mood in [one for one in self.moods.values() if one.phase != "end" and one.expires_at < now]:
            self.apply(
                mood.model_copy(
                    update={
                        "phase": "end",
                        "mood": Mood.NOBODY,
                        "before": mood.mood,
                        "confidence": 0.0,
                        "probabilities": None,
                        "valence": 0.0,
                        "arousal": 0.0,
                        "faces": 0,
                        "since": now,
                        "at": now,
                    }
                )
            )

    def _visitor(self, camera_id: str, gone: bool) -> None:
        if not gone:
            self.visitors.add(camera_id)
            return
        self.visitors.discard(camera_id)
        self.moods.pop(camera_id, None)
        self.faces.pop(camera_id, None)


def _put(table: dict[str, E], key: str, value: E) -> None:
    table.pop(key, None)
    table[key] = value
    while len(table) > CAMERAS_KEPT:
        table.pop(next(iter(table)))
