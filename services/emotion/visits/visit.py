"""One visit at a camera, and the events that tell of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid5

from moodstream.contracts.events import Event, MoodChanged, Person, Probabilities, expiry, new_id, utc_now, uuid_of
from moodstream.contracts.moods import MOODS, Mood, expectation
from services.emotion.visits.face_tracks import Track
from services.emotion.visits.policy import Policy
from services.emotion.visits.smoothing import Held

Phase = Literal["start", "update", "end"]
Reason = Literal["change", "heartbeat", "forced"]

EQUAL_SHARES = (1 / len(MOODS),) * len(MOODS)


@dataclass
class Visit:
    """Times are by the camera's clock, but for those whose names say otherwise."""

    session_id: str
    mood: Mood
    before: Mood
    since: datetime
    held: Held
    opened_s: float
    seen_s: float
    told_s: float
    told_by_process_s: float
    shares: tuple[float, ...] = EQUAL_SHARES
    faces: int = 0
    people: Sequence[Track] = ()
    entered: int = 0
    left: int = 0
    counts_told: tuple[int, int] = (0, 0)
    forced_until_process_s: float | None = None

    @property
    def dwell_s(self) -> float:
        """How long somebody has been there."""
        return _length_s(self.opened_s, self.seen_s)

    def name(self, mood: Mood) -> None:
        """Another mood stands from now on."""
        self.before, self.mood, self.since = self.mood, mood, utc_now()

    def forced(self, process_s: float) -> bool:
        """Whether a mood chosen by hand stands."""
        return self.forced_until_process_s is not None and process_s < self.forced_until_process_s

    def told(self, camera_s: float, process_s: float) -> None:
        self.told_s, self.told_by_process_s = camera_s, process_s
        self.counts_told = (self.entered, self.left)


@dataclass(frozen=True)
class Teller:
    """The events of the visits at one camera."""

    camera_id: str
    model: str
    policy: Policy

    def tell(
        self, visit: Visit, phase: Phase, reason: Reason, cause: Event | None, repeated: bool = False
    ) -> MoodChanged:
        """The mood that stands; what follows from a reading or a request always has the same id."""
        shares = _shares(visit.shares)
        valence, arousal = expectation(shares.in_order())
        origin: dict[str, Any] = {"id": new_id()}
        if cause is not None:
            origin = {"id": str(uuid5(uuid_of(cause.id), "MoodChanged")), "trace_id": cause.trace_id}
        return MoodChanged(
            **origin,
            **self._standing(visit),
            phase=phase,
            reason=reason,
            mood=visit.mood,
            before=visit.before,
            confidence=getattr(shares, visit.mood) if visit.mood in MOODS else max(shares.in_order()),
            probabilities=shares,
            valence=valence,
            arousal=arousal,
            faces=visit.faces,
            since=visit.since,
            expires_at=expiry(MoodChanged),
            repeated=repeated,
            people=tuple(_person(track) for track in visit.people),
            left=visit.left,
        )

    def end(self, visit: Visit) -> MoodChanged:
        """Nobody is there any more: all who came have left."""
        now = utc_now()
        return MoodChanged(
            **self._standing(visit),
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

    def _standing(self, visit: Visit) -> dict[str, Any]:
        return {
            "session_id": visit.session_id,
            "camera_id": self.camera_id,
            "model": self.model,
            "policy": self.policy,
            "entered": visit.entered,
            "dwell_s": visit.dwell_s,
        }


def _person(track: Track) -> Person:
    return Person(
        number=track.number,
        mood=track.face.mood or Mood.UNSURE,
        confidence=min(1.0, max(track.face.probabilities)),
        dwell_s=_length_s(track.first_s, track.seen_s),
    )


def _length_s(since_s: float, until_s: float) -> float:
    return round(max(0.0, until_s - since_s), 3)


def _shares(probabilities: Sequence[float]) -> Probabilities:
    return Probabilities(**{str(mood): min(1.0, p) for mood, p in zip(MOODS, probabilities, strict=True)})
