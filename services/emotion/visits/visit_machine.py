"""Readings of one camera to its visits: who comes, which mood stands, when it changes, who leaves. Pure.

The tracker alone opens and ends sessions. It goes by the camera's clock; a camera that falls silent is noticed by
``tick``, by the process's.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid5

from moodstream.contracts.events import Event, FacesRead, MoodChanged, utc_now, uuid_of
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.arrival import Arrival
from services.emotion.visits.clock import CameraClock
from services.emotion.visits.face_tracks import Tracks
from services.emotion.visits.policy import Group
from services.emotion.visits.smoothing import Held
from services.emotion.visits.thresholds import Patience
from services.emotion.visits.visit import Reason, Teller, Visit

OTHER_RUN_S = 2.0
"""A run of lower name is believed when the one before has been silent for so long: its clock was set back."""


class Tracker:
    """The visits at one camera. ``process_s`` is the process's monotonic clock."""

    def __init__(self, camera_id: str, model: str, patience: Patience) -> None:
        self._patience = patience
        self._teller = Teller(camera_id, model, patience.policy)
        self._clock = CameraClock()
        self._heard_s: float | None = None
        """by the process's clock"""
        self._faces = 0
        self._visit: Visit | None = None
        self._forget_people()

    @property
    def idle(self) -> bool:
        """Whether nobody is there."""
        return self._visit is None

    @property
    def missed(self) -> int:
        """Frames of which no reading has come."""
        return self._clock.missed

    @property
    def late(self) -> int:
        """Readings that were not used, because a newer one was."""
        return self._clock.late

    def warm(self, readings: Iterable[FacesRead]) -> None:
        """Take in the last seconds that another tracker has told of: who is there, and what they look like."""
        for reading in readings:
            if self._clock.takes(reading, silent=True) and reading.error is None:
                self._clock.advance(reading.captured_at)
                entered, _ = self._tracks.observe(reading.faces, self._clock.now_s)
                self._entered += entered
                self._faces = len(reading.faces)

    def restore(self, last: MoodChanged, process_s: float) -> None:
        """Go on where another tracker stopped, from the last event that it published."""
        now = utc_now()
        if last.phase == "end" or last.session_id is None or last.expires_at < now:
            return
        visit = self._visit = self._open(last.session_id, last.mood, last.before, last.since, process_s)
        visit.opened_s = self._clock.now_s - last.dwell_s
        visit.entered = max(last.left, last.entered - len(last.people)) + len(visit.people)
        visit.left, visit.counts_told = last.left, (visit.entered, last.left)
        if last.probabilities is not None:
            visit.shares = last.probabilities.in_order()
        if last.reason == "forced":
            stood_s = max(0.0, (now - last.since).total_seconds())
            visit.forced_until_process_s = process_s + self._patience.forced_s - stood_s
        self._heard_s = process_s

    def observe(self, reading: FacesRead, process_s: float) -> list[MoodChanged]:
        """Take in one reading; what is older than the last one applied is ignored."""
        if not self._clock.takes(reading, self._silent(OTHER_RUN_S, process_s)) or reading.error is not None:
            return []  # a broken picture shows nobody, and nobody's absence
        self._heard_s = process_s
        self._clock.advance(reading.captured_at)
        entered, left = self._tracks.observe(reading.faces, self._clock.now_s)
        self._entered += entered
        self._faces = len(reading.faces)
        visit = self._visit
        if visit is None:
            return self._await_arrival(reading, process_s)
        visit.entered, visit.left = visit.entered + entered, visit.left + left
        visit.faces, visit.people = self._faces, self._tracks.people()
        return self._follow(visit, reading, process_s)

    def tick(self, process_s: float) -> list[MoodChanged]:
        """What follows from time alone: a silent camera, or a mood by hand that lasts or has run out."""
        visit = self._visit
        if visit is None:
            return []
        if visit.forced(process_s):
            return self._repeat_forced(visit, process_s, None)
        return self.end() if self._silent(self._patience.silence_s, process_s) else []

    def choose(self, mood: Mood, cause: Event, process_s: float) -> list[MoodChanged]:
        """A mood chosen by hand; opens a session where there is none."""
        visit, opens = self._visit, self._visit is None
        if visit is None:
            session_id = str(uuid5(uuid_of(cause.id), "session"))
            visit = self._visit = self._open(session_id, mood, Mood.NOBODY, utc_now(), process_s)
        else:
            visit.name(mood)
        visit.held = Held(self._patience.steadiness.hold_s, mood)
        visit.shares = tuple(float(one == mood) for one in MOODS)
        visit.forced_until_process_s = process_s + self._patience.forced_s
        visit.told(self._clock.now_s, process_s)
        return [self._teller.tell(visit, "start" if opens else "update", "forced", cause)]

    def end(self) -> list[MoodChanged]:
        """End the session, if there is one, and forget everything about it."""
        visit, self._visit = self._visit, None
        self._forget_people()
        return [] if visit is None else [self._teller.end(visit)]

    def _silent(self, seconds: float, process_s: float) -> bool:
        return self._heard_s is None or process_s - self._heard_s >= seconds

    def _forget_people(self) -> None:
        patience = self._patience
        self._tracks = Tracks(patience.steadiness, patience.arrival_s, patience.lost_s, patience.unread_s)
        self._group = Group(patience.policy, patience.steadiness)
        self._arrival = Arrival(patience.arrival_s, patience.miss_s)
        self._entered = 0
        """how many have come since people were last forgotten"""

    def _open(self, session_id: str, mood: Mood, before: Mood, since: datetime, process_s: float) -> Visit:
        now_s, held = self._clock.now_s, Held(self._patience.steadiness.hold_s, mood)
        visit = Visit(session_id, mood, before, since, held, now_s, now_s, now_s, process_s)
        visit.entered, visit.faces, visit.people = self._entered, self._faces, self._tracks.people()
        return visit

    def _await_arrival(self, reading: FacesRead, process_s: float) -> list[MoodChanged]:
        if not reading.faces:
            if self._arrival.gone(self._clock.now_s):
                self._forget_people()
            return []
        if not self._arrival.seen(self._clock.now_s):
            return []
        verdict = self._group.verdict(self._tracks.readable(self._clock.now_s))
        session_id = str(uuid5(uuid_of(reading.id), "session"))
        mood = verdict.mood if verdict else Mood.UNSURE
        visit = self._visit = self._open(session_id, mood, Mood.NOBODY, utc_now(), process_s)
        visit.opened_s = self._arrival.since_s or 0.0
        if verdict:
            visit.shares = verdict.probabilities
        visit.told(self._clock.now_s, process_s)
        return [self._teller.tell(visit, "start", "change", reading)]

    def _follow(self, visit: Visit, reading: FacesRead, process_s: float) -> list[MoodChanged]:
        now_s, forced = self._clock.now_s, visit.forced(process_s)
        if reading.faces:
            visit.seen_s = now_s
        elif now_s - visit.seen_s >= self._patience.nobody_s and not forced:
            return self.end()
        if forced:
            return self._repeat_forced(visit, process_s, reading)
        if reading.faces:
            self._decide(visit)
        reason: Reason = "heartbeat"
        if visit.held.mood not in (None, visit.mood):
            visit.name(visit.held.mood or Mood.UNSURE)
            reason = "change"
        elif (visit.entered, visit.left) == visit.counts_told and now_s - visit.told_s < self._patience.heartbeat_s:
            return []
        visit.told(now_s, process_s)
        return [self._teller.tell(visit, "update", reason, reading, repeated=reason == "heartbeat")]

    def _decide(self, visit: Visit) -> None:
        verdict = self._group.verdict(self._tracks.readable(self._clock.now_s))
        if verdict is not None:
            visit.shares = verdict.probabilities
            if verdict.lasts:
                visit.held.decide(verdict.mood, self._clock.now_s)
        elif self._clock.now_s - visit.opened_s >= self._patience.unread_s:
            visit.held.decide(Mood.UNSURE, self._clock.now_s)

    def _repeat_forced(self, visit: Visit, process_s: float, reading: FacesRead | None) -> list[MoodChanged]:
        if process_s - visit.told_by_process_s < self._patience.heartbeat_s:
            return []
        visit.told(self._clock.now_s, process_s)
        return [self._teller.tell(visit, "update", "forced", reading, repeated=True)]
