"""One visit at a camera, and the events that are published about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid5

from moodstream.contracts.events import (
    Event,
    MoodChanged,
    Person,
    Probabilities,
    Source,
    expiry,
    new_id,
    utc_now,
    uuid_of,
)
from moodstream.contracts.moods import MOODS, Mood, expectation
from services.emotion.visits.face_tracks import Track
from services.emotion.visits.policy import Policy
from services.emotion.visits.smoothing import HeldMood

Phase = Literal["start", "update", "end"]
Reason = Literal["change", "heartbeat", "forced"]

EQUAL_SHARES = (1 / len(MOODS),) * len(MOODS)


@dataclass
class Visit:
    """Times are seconds of the camera's clock; those named ``process_s`` are of the process's monotonic clock."""

    session_id: str
    mood: Mood
    before: Mood
    since: datetime
    held: HeldMood
    opened_s: float
    seen_s: float
    published_s: float
    published_process_s: float
    shares: tuple[float, ...] = EQUAL_SHARES
    faces: int = 0
    people: Sequence[Track] = ()
    entered: int = 0
    left: int = 0
    published_counts: tuple[int, int] = (0, 0)
    forced_until_process_s: float | None = None
    heard_until_process_s: float | None = None
    """how long a visit stays open that began with what was heard, while no face is seen"""
    sources: tuple[Source, ...] = ()

    @property
    def dwell_s(self) -> float:
        """How long somebody has been there."""
        return _length_s(self.opened_s, self.seen_s)

    @property
    def counts(self) -> tuple[int, int]:
        """How many people have entered and left."""
        return self.entered, self.left

    def change_mood(self, mood: Mood) -> None:
        """Replace the mood that stands; it is ``before`` from now on."""
        self.before, self.mood, self.since = self.mood, mood, utc_now()

    def is_forced(self, process_s: float) -> bool:
        """Whether a mood chosen by hand still stands."""
        return self.forced_until_process_s is not None and process_s < self.forced_until_process_s

    def is_heard(self, process_s: float) -> bool:
        """Whether what was heard still keeps a visit open in which no face is seen."""
        return self.heard_until_process_s is not None and process_s < self.heard_until_process_s

    def mark_published(self, camera_s: float, process_s: float) -> None:
        """Note that an event is published now, with the counts as they are."""
        self.published_s, self.published_process_s = camera_s, process_s
        self.published_counts = self.counts


@dataclass(frozen=True)
class EventFactory:
    """Creates the events of the visits at one camera."""

    camera_id: str
    model: str
    policy: Policy

    def create_event(
        self, visit: Visit, phase: Phase, reason: Reason, cause: Event | None, repeated: bool = False
    ) -> MoodChanged:
        """The current mood as an event. Its id follows from the cause's, so doing it again creates the same event."""
        shares = _shares(visit.shares)
        valence, arousal = expectation(shares.in_order())
        origin: dict[str, Any] = {"id": new_id()}
        if cause is not None:
            origin = {"id": str(uuid5(uuid_of(cause.id), "MoodChanged")), "trace_id": cause.trace_id}
        return MoodChanged(
            **origin,
            **self._common_fields(visit),
            phase=phase,
            reason=reason,
            mood=visit.mood,
            before=visit.before,
            confidence=confidence(visit.mood, shares.in_order()),
            probabilities=shares,
            valence=valence,
            arousal=arousal,
            faces=visit.faces,
            since=visit.since,
            expires_at=expiry(MoodChanged),
            repeated=repeated,
            people=tuple(_person(track) for track in visit.people),
            left=visit.left,
            sources=visit.sources,
        )

    def create_end(self, visit: Visit) -> MoodChanged:
        """The end of a visit: everybody who came has left."""
        now = utc_now()
        return MoodChanged(
            **self._common_fields(visit),
            id=str(uuid5(uuid_of(visit.session_id), "end")),
            phase="end",
            reason="change",
            mood=Mood.NOBODY,
            before=visit.mood,
            confidence=1.0,
            probabilities=None,
            valence=0.0,
            arousal=0.0,
            faces=0,
            since=now,
            expires_at=expiry(MoodChanged, now),
            left=visit.entered,
        )

    def _common_fields(self, visit: Visit) -> dict[str, Any]:
        return {
            "session_id": visit.session_id,
            "camera_id": self.camera_id,
            "model": self.model,
            "policy": self.policy,
            "entered": visit.entered,
            "dwell_s": visit.dwell_s,
        }


def confidence(mood: Mood, shares: Sequence[float]) -> float:
    """The smoothed probability of the mood that is told; of the likeliest one where none is named."""
    return min(1.0, shares[MOODS.index(mood)] if mood in MOODS else max(shares))


def _person(track: Track) -> Person:
    mood = track.face.mood or Mood.UNSURE
    return Person(
        number=track.number,
        mood=mood,
        confidence=confidence(mood, track.face.probabilities),
        dwell_s=_length_s(track.first_s, track.seen_s),
    )


def _length_s(since_s: float, until_s: float) -> float:
    return round(max(0.0, until_s - since_s), 3)


def _shares(probabilities: Sequence[float]) -> Probabilities:
    return Probabilities(**{str(mood): min(1.0, p) for mood, p in zip(MOODS, probabilities, strict=True)})
