"""Readings of one camera to its visits: who comes, which mood stands, when it changes, who leaves. Pure.

The tracker alone opens and ends sessions. Time is the cameras' own (``captured_at``), taken in small steps, so a
clock that jumps by hours moves it by seconds; a camera that falls silent is noticed by ``tick``.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from services.emotion.smoothing import Steadiness, SteadyMood
from shared.circumplex import MOODS, Mood, expectation
from shared.events import Event, FaceRead, FacesRead, MoodChanged, Probabilities, expiry, new_id, utc_now

LONGEST_STEP_S = 3.0
"""A longer time between two frames is a gap or a clock that was set."""


@dataclass(frozen=True)
class Patience:
    """How long the tracker waits before it believes."""

    steadiness: Steadiness = field(default_factory=Steadiness)
    arrive_s: float = 0.5
    """somebody must be seen for so long"""
    miss_s: float = 0.35
    """a face on its way in may be missed for so long"""
    unread_s: float = 1.0
    """a face that cannot be read for so long makes the mood unsure"""
    nobody_s: float = 2.0
    """nobody must be seen for so long"""
    silence_s: float = 5.0
    """a camera that sends nothing for so long sees nobody"""
    heartbeat_s: float = 5.0
    forced_s: float = 60.0
    """a mood chosen by hand stands for so long"""


@dataclass
class _Visit:
    session_id: str
    mood: Mood
    before: Mood
    since: datetime
    face: SteadyMood
    seen_s: float
    read_s: float
    told_s: float
    forced_until: float | None = None


class Tracker:
    """The visits at one camera. ``monotonic_s`` is the process's monotonic clock."""

    def __init__(self, camera_id: str, model: str, patience: Patience) -> None:
        self._camera_id = camera_id
        self._model = model
        self._patience = patience
        self._last: tuple[str, int] = ("", -1)
        self._captured_at: datetime | None = None
        self._clock_s = 0.0
        self._heard_s: float | None = None
        self._arriving: SteadyMood | None = None
        self._arriving_s = 0.0
        self._arriving_seen_s = 0.0
        self._visit: _Visit | None = None

    def restore(self, last: MoodChanged, monotonic_s: float) -> None:
        """Go on where another tracker stopped, from the last event that it published."""
        if last.phase == "end" or last.session_id is None or last.expires_at < utc_now():
            return
        start = last.probabilities.in_order() if last.probabilities else None
        self._visit = _Visit(
            session_id=last.session_id,
            mood=last.mood,
            before=last.before,
            since=last.since,
            face=SteadyMood(self._patience.steadiness, start, last.mood),
            seen_s=self._clock_s,
            read_s=self._clock_s,
            told_s=self._clock_s,
            forced_until=monotonic_s + self._patience.forced_s if last.reason == "forced" else None,
        )
        self._heard_s = monotonic_s

    def observe(self, reading: FacesRead, monotonic_s: float) -> list[MoodChanged]:
        """Take in one reading; what is older than the last one applied is ignored."""
        order = (reading.run_id, reading.seq)
        if order <= self._last:
            return []
        self._last = order
        self._heard_s = monotonic_s
        self._advance(reading.captured_at)
        face = _largest(reading.faces)
        if self._visit is None:
            return self._await_arrival(reading, face)
        return self._follow(self._visit, reading, face, monotonic_s)

    def tick(self, monotonic_s: float) -> list[MoodChanged]:
        """What follows from time alone: a silent camera, or a mood by hand that has run out."""
        visit = self._visit
        if visit is None:
            return []
        if visit.forced_until is not None and monotonic_s < visit.forced_until:
            return []
        silent = self._heard_s is None or monotonic_s - self._heard_s >= self._patience.silence_s
        return self.end() if silent else []

    def choose(self, mood: Mood, cause: Event, monotonic_s: float) -> list[MoodChanged]:
        """A mood chosen by hand; opens a session where there is none."""
        visit = self._visit
        phase = "update" if visit else "start"
        face = SteadyMood(self._patience.steadiness, [float(one == mood) for one in MOODS], mood)
        if visit is None:
            visit = self._open(mood, face)
        else:
            visit.before, visit.mood, visit.since, visit.face = visit.mood, mood, utc_now(), face
        visit.forced_until = monotonic_s + self._patience.forced_s
        return [self._event(visit, phase, "forced", cause, faces=0)]

    def end(self) -> list[MoodChanged]:
        """End the session, if there is one, and forget everything about it."""
        visit, self._visit, self._arriving = self._visit, None, None
        if visit is None:
            return []
        now = utc_now()
        return [
            MoodChanged(
                id=str(uuid5(UUID(visit.session_id), "end")),
                session_id=visit.session_id,
                phase="end",
                reason="change",
                camera_id=self._camera_id,
                mood=Mood.NOBODY,
                before=visit.mood,
                confidence=1.0,
                probabilities=None,
                valence=0.0,
                arousal=0.0,
                faces=0,
                since=now,
                expires_at=expiry(MoodChanged, now),
                model=self._model,
            )
        ]

    def _advance(self, captured_at: datetime) -> None:
        if self._captured_at is not None:
            step_s = (captured_at - self._captured_at).total_seconds()
            self._clock_s += min(max(step_s, 0.0), LONGEST_STEP_S)
        self._captured_at = captured_at

    def _await_arrival(self, reading: FacesRead, face: FaceRead | None) -> list[MoodChanged]:
        if not reading.faces:
            if self._clock_s - self._arriving_seen_s > self._patience.miss_s:
                self._arriving = None
            return []
        if self._arriving is None:
            self._arriving, self._arriving_s = SteadyMood(self._patience.steadiness), self._clock_s
        self._arriving_seen_s = self._clock_s
        if face is not None:
            self._arriving.read(face.probabilities.in_order(), self._clock_s)
        if self._clock_s - self._arriving_s < self._patience.arrive_s:
            return []
        visit = self._open(self._arriving.mood or Mood.UNSURE, self._arriving)
        self._arriving = None
        return [self._event(visit, "start", "change", reading, faces=len(reading.faces))]

    def _open(self, mood: Mood, face: SteadyMood) -> _Visit:
        self._visit = _Visit(
            session_id=new_id(),
            mood=mood,
            before=Mood.NOBODY,
            since=utc_now(),
            face=face,
            seen_s=self._clock_s,
            read_s=self._clock_s,
            told_s=self._clock_s,
        )
        return self._visit

    def _follow(
        self, visit: _Visit, reading: FacesRead, face: FaceRead | None, monotonic_s: float
    ) -> list[MoodChanged]:
        if visit.forced_until is not None and monotonic_s >= visit.forced_until:
            visit.forced_until = None
        if reading.faces:
            visit.seen_s = self._clock_s
        elif self._unseen(visit) and visit.forced_until is None:
            return self.end()
        if visit.forced_until is not None:
            visit.read_s = self._clock_s
        elif face is not None:
            visit.read_s = self._clock_s
            visit.face.read(face.probabilities.in_order(), self._clock_s)
        elif reading.faces and self._clock_s - visit.read_s >= self._patience.unread_s:
            visit.face.unread(self._clock_s)
        mood = visit.face.mood or Mood.UNSURE
        if mood != visit.mood:
            visit.before, visit.mood, visit.since = visit.mood, mood, utc_now()
            return [self._event(visit, "update", "change", reading, faces=len(reading.faces))]
        if self._clock_s - visit.told_s >= self._patience.heartbeat_s:
            return [self._event(visit, "update", "heartbeat", reading, faces=len(reading.faces))]
        return []

    def _unseen(self, visit: _Visit) -> bool:
        return self._clock_s - visit.seen_s >= self._patience.nobody_s

    def _event(self, visit: _Visit, phase: str, reason: str, cause: Event, faces: int) -> MoodChanged:
        visit.told_s = self._clock_s
        shares = _shares(visit.face.probabilities)
        valence, arousal = expectation(shares.in_order())
        return MoodChanged.following(
            cause,
            session_id=visit.session_id,
            phase=phase,
            reason=reason,
            camera_id=self._camera_id,
            mood=visit.mood,
            before=visit.before,
            confidence=getattr(shares, visit.mood) if visit.mood in MOODS else max(shares.in_order()),
            probabilities=shares,
            valence=valence,
            arousal=arousal,
            faces=faces,
            since=visit.since,
            expires_at=expiry(MoodChanged),
            model=self._model,
        )


def _largest(faces: tuple[FaceRead, ...]) -> FaceRead | None:
    readable = [face for face in faces if face.refused is None]
    return max(readable, key=lambda face: face.box[2] * face.box[3], default=None)


def _shares(probabilities: tuple[float, ...]) -> Probabilities:
    return Probabilities(**{str(mood): min(1.0, p) for mood, p in zip(MOODS, probabilities, strict=True)})
