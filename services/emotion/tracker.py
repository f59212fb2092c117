"""Readings of one camera to its visits: who comes, which mood stands, when it changes, who leaves. Pure.

The tracker alone opens and ends sessions. Time is the cameras' own (``captured_at``), taken in small steps, so a
clock that jumps by hours moves it by nothing; a camera that falls silent is noticed by ``tick``.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from services.emotion.groups import Group, Policy
from services.emotion.smoothing import Held, Steadiness
from services.emotion.tracks import Tracks
from shared.circumplex import MOODS, Mood, expectation
from shared.events import Event, FacesRead, MoodChanged, Person, Probabilities, expiry, new_id, utc_now

LONGEST_STEP_S = 3.0
"""A longer time between two frames is a gap."""
CLOCK_SET_S = 10.0
"""And one longer than this a clock that was set: a camera silent for so long has ended its session already."""
OTHER_RUN_S = 2.0
"""A run of lower name is believed when the one before has been silent for so long: its clock was set back."""


Phase = Literal["start", "update", "end"]
Reason = Literal["change", "heartbeat", "forced"]


@dataclass(frozen=True)
class Patience:
    """How long the tracker waits before it believes."""

    steadiness: Steadiness = field(default_factory=Steadiness)
    arrive_s: float = 0.5
    """somebody must be seen for so long"""
    miss_s: float = 0.35
    """a face on its way in may be missed for so long"""
    lost_s: float = 1.0
    """one of several faces that is not seen for so long has left"""
    unread_s: float = 1.0
    """a face that cannot be read for so long makes the mood unsure"""
    nobody_s: float = 2.0
    """nobody must be seen for so long"""
    silence_s: float = 5.0
    """a camera that sends nothing for so long sees nobody"""
    heartbeat_s: float = 5.0
    forced_s: float = 60.0
    """a mood chosen by hand stands for so long"""
    policy: Policy = "largest"


@dataclass
class _Visit:
    session_id: str
    mood: Mood
    before: Mood
    since: datetime
    shares: tuple[float, ...]
    held: Held
    opened_s: float
    seen_s: float
    told_s: float
    told_at_s: float
    """by the process's clock, where told_s is by the camera's"""
    entered: int = 0
    left: int = 0
    counts_told: tuple[int, int] = (0, 0)
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
        self._arriving_s: float | None = None
        self._arriving_seen_s = 0.0
        self._faces = 0
        self._visit: _Visit | None = None
        self.missed = 0
        """frames of which no reading has come"""
        self.late = 0
        """readings that were not used, because a newer one was"""
        self._forget_people()

    def restore(self, last: MoodChanged, monotonic_s: float) -> None:
        """Go on where another tracker stopped, from the last event that it published."""
        now = utc_now()
        if last.phase == "end" or last.session_id is None or last.expires_at < now:
            return
        stood_s = (now - last.since).total_seconds()
        self._visit = self._new_visit(last.session_id, last.mood, last.before, last.since, monotonic_s)
        self._visit.opened_s = self._clock_s - last.dwell_s
        self._visit.entered, self._visit.left = max(0, last.entered - len(last.people)), last.left
        if last.probabilities is not None:
            self._visit.shares = last.probabilities.in_order()
        if last.reason == "forced":
            self._visit.forced_until = monotonic_s + min(self._patience.forced_s, self._patience.forced_s - stood_s)
        self._heard_s = monotonic_s

    def observe(self, reading: FacesRead, monotonic_s: float) -> list[MoodChanged]:
        """Take in one reading; what is older than the last one applied is ignored."""
        if not self._is_next(reading, monotonic_s) or reading.error is not None:
            return []  # a broken picture shows nobody, and nobody's absence
        self._heard_s = monotonic_s
        self._advance(reading.captured_at)
        self._faces = len(reading.faces)
        entered, left = self._tracks.observe(reading.faces, self._clock_s)
        if self._visit is None:
            return self._await_arrival(reading, entered, monotonic_s)
        self._visit.entered += entered
        self._visit.left += left
        return self._follow(self._visit, reading, monotonic_s)

    def tick(self, monotonic_s: float) -> list[MoodChanged]:
        """What follows from time alone: a silent camera, or a mood by hand that lasts or has run out."""
        visit = self._visit
        if visit is None:
            return []
        if visit.forced_until is not None and monotonic_s < visit.forced_until:
            return self._repeat_forced(visit, monotonic_s, None)
        silent = self._heard_s is None or monotonic_s - self._heard_s >= self._patience.silence_s
        return self.end() if silent else []

    def choose(self, mood: Mood, cause: Event, monotonic_s: float) -> list[MoodChanged]:
        """A mood chosen by hand; opens a session where there is none."""
        visit = self._visit
        phase: Phase = "update" if visit else "start"
        if visit is None:
            session_id = str(uuid5(UUID(cause.id), "session"))
            visit = self._visit = self._new_visit(session_id, mood, Mood.NOBODY, utc_now(), monotonic_s)
        else:
            visit.before, visit.mood, visit.since = visit.mood, mood, utc_now()
        visit.held = Held(self._patience.steadiness.hold_s, mood)
        visit.shares = tuple(float(one == mood) for one in MOODS)
        visit.forced_until = monotonic_s + self._patience.forced_s
        return [self._event(visit, phase, "forced", cause, monotonic_s)]

    def end(self) -> list[MoodChanged]:
        """End the session, if there is one, and forget everything about it."""
        visit, self._visit, self._arriving_s = self._visit, None, None
        self._forget_people()
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
                policy=self._patience.policy,
                since=now,
                expires_at=expiry(MoodChanged, now),
                model=self._model,
                entered=visit.entered,
                left=visit.entered,
                dwell_s=self._dwell_s(visit.opened_s, visit.seen_s),
            )
        ]

    @property
    def idle(self) -> bool:
        """Whether nobody is there."""
        return self._visit is None

    def _is_next(self, reading: FacesRead, monotonic_s: float) -> bool:
        run_id, seq = self._last
        silent = self._heard_s is None or monotonic_s - self._heard_s >= OTHER_RUN_S
        if reading.run_id == run_id:
            if seq >= reading.seq:
                self.late += seq > reading.seq
                self.missed -= seq > reading.seq  # it came after all
                return False
            self.missed += reading.seq - seq - 1
        elif reading.run_id < run_id and not silent:
            return False
        self._last = (reading.run_id, reading.seq)
        return True

    def _advance(self, captured_at: datetime) -> None:
        if self._captured_at is not None:
            step_s = (captured_at - self._captured_at).total_seconds()
            if 0 < step_s < CLOCK_SET_S:
                self._clock_s += min(step_s, LONGEST_STEP_S)
        self._captured_at = captured_at

    def _await_arrival(self, reading: FacesRead, entered: int, monotonic_s: float) -> list[MoodChanged]:
        self._entered_before += entered
        if not reading.faces:
            if self._clock_s - self._arriving_seen_s > self._patience.miss_s:
                self._arriving_s = None
                self._forget_people()
            return []
        if self._arriving_s is None:
            self._arriving_s = self._clock_s
        self._arriving_seen_s = self._clock_s
        if self._clock_s - self._arriving_s < self._patience.arrive_s:
            return []
        verdict = self._group.verdict(self._tracks.readable(self._clock_s))
        mood = verdict.mood if verdict else Mood.UNSURE
        session_id = str(uuid5(UUID(reading.id), "session"))
        visit = self._visit = self._new_visit(session_id, mood, Mood.NOBODY, utc_now(), monotonic_s)
        visit.opened_s, visit.entered, self._arriving_s = self._arriving_s, self._entered_before, None
        if verdict:
            visit.shares = verdict.probabilities
        return [self._event(visit, "start", "change", reading, monotonic_s)]

    def _new_visit(self, session_id: str, mood: Mood, before: Mood, since: datetime, monotonic_s: float) -> _Visit:
        return _Visit(
            session_id=session_id,
            mood=mood,
            before=before,
            since=since,
            shares=(1 / len(MOODS),) * len(MOODS),
            held=Held(self._patience.steadiness.hold_s, mood),
            opened_s=self._clock_s,
            seen_s=self._clock_s,
            told_s=self._clock_s,
            told_at_s=monotonic_s,
        )

    def _forget_people(self) -> None:
        patience = self._patience
        self._tracks = Tracks(patience.steadiness, patience.arrive_s, patience.lost_s, patience.unread_s)
        self._group = Group(patience.policy, patience.steadiness)
        self._entered_before = 0

    def _follow(self, visit: _Visit, reading: FacesRead, monotonic_s: float) -> list[MoodChanged]:
        forced = visit.forced_until is not None and monotonic_s < visit.forced_until
        if reading.faces:
            visit.seen_s = self._clock_s
        elif self._clock_s - visit.seen_s >= self._patience.nobody_s and not forced:
            return self.end()
        if forced:
            return self._repeat_forced(visit, monotonic_s, reading)
        visit.forced_until = None
        self._decide(visit, reading)
        if visit.held.mood not in (None, visit.mood):
            visit.before, visit.mood, visit.since = visit.mood, visit.held.mood or Mood.UNSURE, utc_now()
            return [self._event(visit, "update", "change", reading, monotonic_s)]
        counted = (visit.entered, visit.left) != visit.counts_told
        if counted or self._clock_s - visit.told_s >= self._patience.heartbeat_s:
            return [self._event(visit, "update", "heartbeat", reading, monotonic_s, repeated=True)]
        return []

    def _decide(self, visit: _Visit, reading: FacesRead) -> None:
        if not reading.faces:
            return
        verdict = self._group.verdict(self._tracks.readable(self._clock_s))
        if verdict is not None:
            visit.shares = verdict.probabilities
            visit.held.decide(verdict.mood, self._clock_s)
        elif self._clock_s - visit.opened_s >= self._patience.unread_s:
            visit.held.decide(Mood.UNSURE, self._clock_s)

    def _repeat_forced(self, visit: _Visit, monotonic_s: float, reading: FacesRead | None) -> list[MoodChanged]:
        if monotonic_s - visit.told_at_s < self._patience.heartbeat_s:
            return []
        return [self._event(visit, "update", "forced", reading, monotonic_s, repeated=True)]

    def _dwell_s(self, since_s: float, until_s: float) -> float:
        return round(max(0.0, until_s - since_s), 3)

    def _event(
        self,
        visit: _Visit,
        phase: Phase,
        reason: Reason,
        cause: Event | None,
        monotonic_s: float,
        repeated: bool = False,
    ) -> MoodChanged:
        visit.told_s, visit.told_at_s = self._clock_s, monotonic_s
        visit.counts_told = (visit.entered, visit.left)
        shares = _shares(visit.shares)
        valence, arousal = expectation(shares.in_order())
        origin: dict[str, Any] = {"id": new_id()}
        if cause is not None:
            origin = {"id": str(uuid5(UUID(cause.id), "MoodChanged")), "trace_id": cause.trace_id}
        return MoodChanged(
            **origin,
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
            faces=self._faces,
            policy=self._patience.policy,
            since=visit.since,
            expires_at=expiry(MoodChanged),
            model=self._model,
            repeated=repeated,
            people=tuple(self._people()),
            entered=visit.entered,
            left=visit.left,
            dwell_s=self._dwell_s(visit.opened_s, visit.seen_s),
        )

    def _people(self) -> list[Person]:
        return [
            Person(
                number=track.number,
                mood=track.face.mood or Mood.UNSURE,
                confidence=min(1.0, max(track.face.probabilities)),
                dwell_s=self._dwell_s(track.first_s, track.seen_s),
            )
            for track in self._tracks.people()
        ]


def _shares(probabilities: tuple[float, ...]) -> Probabilities:
    return Probabilities(**{str(mood): min(1.0, p) for mood, p in zip(MOODS, probabilities, strict=True)})
