"""A state machine from the readings of one camera to its visits: who comes, the mood, its changes, who leaves. Pure.

It alone opens and ends sessions. Times are of the camera's clock, except that ``tick`` notices a silent camera by the
process's.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import uuid5

from moodstream.contracts.events import Event, FacesRead, MoodChanged, utc_now, uuid_of
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.arrival import Arrival
from services.emotion.visits.clock import CameraClock
from services.emotion.visits.face_tracks import FaceTracks
from services.emotion.visits.fusion import HALVED_S, Fusion, Heard
from services.emotion.visits.policy import MoodPolicy, Policy, Verdict
from services.emotion.visits.smoothing import HeldMood, leading_mood
from services.emotion.visits.stillness import StillPlaces
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit import EventFactory, Phase, Reason, Visit

OTHER_RUN_S = 2.0
"""After this much silence a run with a lower id is accepted: the camera's clock was set back."""


class VisitMachine:
    """The visits at one camera. ``process_s`` is the process's monotonic clock."""

    def __init__(self, camera_id: str, model: str, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._events = EventFactory(camera_id, model, thresholds.policy)
        self._clock = CameraClock()
        self._last_reading_s: float | None = None
        """of the process's clock"""
        self._faces = 0
        self._visit: Visit | None = None
        self._still_places = StillPlaces(thresholds.still_s)
        self._tracks = FaceTracks(
            thresholds.steadiness, thresholds.arrival_s, thresholds.lost_s, thresholds.unread_s, self._still_places
        )
        self._fusion = Fusion()
        self._face_shares: tuple[float, ...] | None = None
        """of the faces that are seen now, as they alone tell them"""
        self._forget_people()

    def change_policy(self, policy: Policy) -> None:
        """How several faces become one mood from now on."""
        self._thresholds = replace(self._thresholds, policy=policy)
        self._events = replace(self._events, policy=policy)
        self._policy = MoodPolicy(policy, self._thresholds.steadiness)

    @property
    def idle(self) -> bool:
        """Whether nobody is there."""
        return self._visit is None

    @property
    def missed(self) -> int:
        """Frames without a reading."""
        return self._clock.missed

    @property
    def late(self) -> int:
        """Readings that arrived after a newer one and were not used."""
        return self._clock.late

    @property
    def still_faces(self) -> int:
        """At how many places a face has not moved for so long that it is taken for a picture."""
        return self._still_places.count

    def warm_up(self, readings: Iterable[FacesRead]) -> None:
        """Learn who is there from readings that another tracker has already used; creates no events."""
        for reading in readings:
            if self._clock.accepts(reading, silent=True) and reading.error is None:
                self._clock.advance(reading.captured_at)
                seen = self._tracks.observe(reading.faces, self._clock.now_s)
                self._entered += seen.entered
                self._faces = seen.alive

    def restore(self, last: MoodChanged, process_s: float) -> None:
        """Resume the visit that another tracker left, from the last event that it published."""
        now = utc_now()
        if last.phase == "end" or last.session_id is None or last.expires_at < now:
            return
        visit = self._visit = self._open(last.session_id, last.mood, last.before, last.since, process_s)
        visit.opened_s = self._clock.now_s - last.dwell_s
        visit.entered = max(last.left, last.entered - len(last.people)) + len(visit.people)
        visit.left = last.left
        visit.published_counts = visit.counts
        if last.probabilities is not None:
            visit.shares = last.probabilities.in_order()
        if last.reason == "forced":
            stood_s = max(0.0, (now - last.since).total_seconds())
            visit.forced_until_process_s = process_s + self._thresholds.forced_s - stood_s
        self._restore_sources(visit, last, process_s)
        self._last_reading_s = process_s

    def observe(self, reading: FacesRead, process_s: float) -> list[MoodChanged]:
        """Apply one reading, unless it is older than the last one. Returns the events that follow."""
        if not self._clock.accepts(reading, self._is_silent(OTHER_RUN_S, process_s)) or reading.error is not None:
            return []  # a broken picture does not show that somebody has left
        self._last_reading_s = process_s
        self._clock.advance(reading.captured_at)
        seen = self._tracks.observe(reading.faces, self._clock.now_s)
        self._entered += seen.entered
        self._faces = seen.alive
        visit = self._visit
        if visit is None:
            return self._await_arrival(reading, process_s)
        visit.entered, visit.left = visit.entered + seen.entered, visit.left + seen.left
        visit.faces, visit.people = self._faces, self._tracks.people()
        return self._continue_visit(visit, reading, process_s)

    def tick(self, process_s: float) -> list[MoodChanged]:
        """Events that follow from time alone: the camera is silent, or a mood stands that was chosen or heard."""
        visit = self._visit
        if visit is None:
            return []
        if visit.is_forced(process_s):
            return self._repeat(visit, "forced", process_s, None)
        if visit.is_heard(process_s):
            return self._repeat(visit, "heartbeat", process_s, None)
        return self.end() if self._is_silent(self._thresholds.silence_s, process_s) else []

    def choose_mood(self, mood: Mood, cause: Event, process_s: float) -> list[MoodChanged]:
        """Set a mood by hand; opens a session if there is none."""
        visit, opens = self._visit, self._visit is None
        if visit is None:
            session_id = str(uuid5(uuid_of(cause.id), "session"))
            visit = self._visit = self._open(session_id, mood, Mood.NOBODY, utc_now(), process_s)
        else:
            visit.change_mood(mood)
        visit.held = HeldMood(self._thresholds.steadiness.hold_s, mood)
        visit.shares, visit.sources = tuple(float(one == mood) for one in MOODS), ()
        self._fusion.forget()
        visit.forced_until_process_s = process_s + self._thresholds.forced_s
        visit.mark_published(self._clock.now_s, process_s)
        return [self._events.create_event(visit, "start" if opens else "update", "forced", cause)]

    def hear(self, kind: Heard, shares: tuple[float, ...], cause: Event, process_s: float) -> list[MoodChanged]:
        """Take what a voice or words say into the mood at once; opens a session if there is none.

        Words take the place of a mood chosen by hand; a voice does not.
        """
        visit, opens = self._visit, self._visit is None
        self._fusion.hear(kind, shares, process_s)
        if visit is None:
            session_id = str(uuid5(uuid_of(cause.id), "session"))
            visit = self._visit = self._open(session_id, Mood.UNSURE, Mood.NOBODY, utc_now(), process_s)
        elif visit.is_forced(process_s) and kind == "voice":
            return []
        visit.forced_until_process_s = None
        if not self._faces or self._is_silent(self._thresholds.silence_s, process_s):
            visit.heard_until_process_s = process_s + self._thresholds.forced_s
        before = visit.mood
        mood = self._pool(visit, process_s) or before
        visit.held = HeldMood(self._thresholds.steadiness.hold_s, mood)
        if opens:
            visit.mood = mood
        elif mood != before:
            visit.change_mood(mood)
        visit.mark_published(self._clock.now_s, process_s)
        reason: Reason = "change" if opens or mood != before else "heartbeat"
        phase: Phase = "start" if opens else "update"
        return [self._events.create_event(visit, phase, reason, cause, repeated=reason == "heartbeat")]

    def end(self) -> list[MoodChanged]:
        """End the session, if there is one, and forget its people."""
        visit, self._visit = self._visit, None
        self._forget_people()
        return [] if visit is None else [self._events.create_end(visit)]

    def _is_silent(self, seconds: float, process_s: float) -> bool:
        return self._last_reading_s is None or process_s - self._last_reading_s >= seconds

    def _forget_people(self) -> None:
        thresholds = self._thresholds
        self._tracks.forget_people()
        self._faces = 0
        self._policy = MoodPolicy(thresholds.policy, thresholds.steadiness)
        self._arrival = Arrival(thresholds.arrival_s, thresholds.miss_s)
        self._fusion.forget()
        self._face_shares = None
        self._entered = 0
        """how many people have come since they were last forgotten"""

    def _open(self, session_id: str, mood: Mood, before: Mood, since: datetime, process_s: float) -> Visit:
        now_s, held = self._clock.now_s, HeldMood(self._thresholds.steadiness.hold_s, mood)
        visit = Visit(session_id, mood, before, since, held, now_s, now_s, now_s, process_s)
        visit.entered, visit.faces, visit.people = self._entered, self._faces, self._tracks.people()
        return visit

    def _await_arrival(self, reading: FacesRead, process_s: float) -> list[MoodChanged]:
        if not self._faces:
            if self._arrival.nobody_seen(self._clock.now_s):
                self._forget_people()
            return []
        if not self._arrival.somebody_seen(self._clock.now_s):
            return []
        verdict = self._policy.decide(self._tracks.readable(self._clock.now_s))
        session_id = str(uuid5(uuid_of(reading.id), "session"))
        mood = verdict.mood if verdict else Mood.UNSURE
        visit = self._visit = self._open(session_id, mood, Mood.NOBODY, utc_now(), process_s)
        visit.opened_s = self._arrival.since_s or 0.0
        if verdict:
            visit.shares = self._face_shares = verdict.probabilities
        visit.mark_published(self._clock.now_s, process_s)
        return [self._events.create_event(visit, "start", "change", reading)]

    def _continue_visit(self, visit: Visit, reading: FacesRead, process_s: float) -> list[MoodChanged]:
        now_s, forced = self._clock.now_s, visit.is_forced(process_s)
        if self._faces:
            visit.seen_s, visit.heard_until_process_s = now_s, None
        elif now_s - visit.seen_s >= self._thresholds.nobody_s and not forced and not visit.is_heard(process_s):
            return self.end()
        if forced:
            return self._repeat(visit, "forced", process_s, reading)
        if self._faces:
            self._decide_mood(visit, process_s)
        reason: Reason = "heartbeat"
        if visit.held.mood not in (None, visit.mood):
            visit.change_mood(visit.held.mood or Mood.UNSURE)
            reason = "change"
        elif visit.counts == visit.published_counts and now_s - visit.published_s < self._thresholds.heartbeat_s:
            return []
        visit.mark_published(now_s, process_s)
        return [self._events.create_event(visit, "update", reason, reading, repeated=reason == "heartbeat")]

    def _decide_mood(self, visit: Visit, process_s: float) -> None:
        verdict = self._policy.decide(self._tracks.readable(self._clock.now_s))
        self._face_shares = verdict.probabilities if verdict else None
        heard = self._pool(visit, process_s)
        if heard is not None:
            agreed = verdict is None or verdict.still_leads or heard != verdict.mood
            verdict = Verdict(heard, visit.shares, agreed)
        if verdict is not None:
            visit.shares = verdict.probabilities
            visit.held.decide(verdict.mood, self._clock.now_s, verdict.still_leads)
        elif self._clock.now_s - visit.opened_s >= self._thresholds.unread_s:
            visit.held.decide(Mood.UNSURE, self._clock.now_s)

    def _pool(self, visit: Visit, process_s: float) -> Mood | None:
        """The mood that all sources tell together, noted in the visit; None where nothing that was heard counts."""
        pool = self._fusion.pool(self._face_shares, process_s)
        visit.sources = pool.sources if pool else ()
        if pool is None:
            return None
        visit.shares = pool.shares
        return leading_mood(pool.shares, self._thresholds.steadiness)

    def _restore_sources(self, visit: Visit, last: MoodChanged, process_s: float) -> None:
        """What was heard goes on counting, and keeps a visit open in which no face is seen."""
        told_s = max(0.0, (utc_now() - last.at).total_seconds())
        for kind in HALVED_S:
            for source in (source for source in last.sources if source.kind == kind):
                self._fusion.hear(kind, source.probabilities.in_order(), process_s - source.age_s - told_s)
        if last.sources and not last.faces:
            youngest_s = told_s + min(source.age_s for source in last.sources)
            visit.heard_until_process_s = process_s + self._thresholds.forced_s - youngest_s
        visit.sources = last.sources

    def _repeat(self, visit: Visit, reason: Reason, process_s: float, reading: FacesRead | None) -> list[MoodChanged]:
        if process_s - visit.published_process_s < self._thresholds.heartbeat_s:
            return []
        if reason == "heartbeat":
            self._pool(visit, process_s)
        visit.mark_published(self._clock.now_s, process_s)
        return [self._events.create_event(visit, "update", reason, reading, repeated=True)]
