"""Visits: who comes, which mood stands, who leaves."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodstream.contracts.events import RequestMade, expiry
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit_machine import VisitMachine
from tests.support.emotion.readings import START, face, moods, observe_all, reading, script


@pytest.fixture
def machine() -> VisitMachine:
    return VisitMachine("c", "m", Thresholds())


@pytest.mark.parametrize("rate", [5, 10, 30])
def test_a_visit_is_a_start_changes_and_an_end(machine: VisitMachine, rate: float) -> None:
    frames = script((None, 1), (Mood.SAD, 4), (Mood.HAPPY, 4), (None, 4), rate=rate)
    events = observe_all(machine, frames)
    assert moods(events) == [("start", Mood.SAD), ("update", Mood.HAPPY), ("end", Mood.NOBODY)]
    assert len({event.session_id for event in events}) == 1
    assert [event.before for event in events if event.reason != "heartbeat"] == [Mood.NOBODY, Mood.SAD, Mood.HAPPY]


def test_the_end_comes_within_three_seconds_of_leaving(machine: VisitMachine) -> None:
    frames = script((Mood.CALM, 3), (None, 10))
    left = [frame.seq for frame in frames if frame.faces][-1] / 1000
    ends = [frame.seq / 1000 for frame in frames for event in machine.observe(frame, 0) if event.phase == "end"]
    assert len(ends) == 1
    assert ends[0] - left <= 3


def test_two_visits_are_two_sessions(machine: VisitMachine) -> None:
    events = observe_all(machine, script((Mood.CALM, 2), (None, 4), (Mood.CALM, 2), (None, 4)))
    assert moods(events) == [("start", Mood.CALM), ("end", Mood.NOBODY)] * 2
    assert len({event.session_id for event in events}) == 2


def test_a_face_that_flashes_up_opens_nothing(machine: VisitMachine) -> None:
    assert observe_all(machine, script(*[(None, 1), (Mood.HAPPY, 0.2)] * 10)) == []


def test_a_face_missed_now_and_then_is_the_same_visit(machine: VisitMachine) -> None:
    frames = script((Mood.HAPPY, 10))
    gaps = [frame if index % 4 else frame.model_copy(update={"faces": ()}) for index, frame in enumerate(frames)]
    assert moods(observe_all(machine, gaps)) == [("start", Mood.HAPPY)]


def test_a_heartbeat_comes_while_nothing_changes(machine: VisitMachine) -> None:
    events = observe_all(machine, script((Mood.HAPPY, 21)))
    assert [event.reason for event in events] == ["change", "heartbeat", "heartbeat", "heartbeat", "heartbeat"]
    assert all(event.expires_at > event.at for event in events)


def test_duplicates_and_late_readings_change_nothing() -> None:
    frames = script((Mood.SAD, 4), (Mood.HAPPY, 4), (None, 4))
    once, again = VisitMachine("c", "m", Thresholds()), VisitMachine("c", "m", Thresholds())
    shuffled = [one for index, frame in enumerate(frames) for one in (frame, frame, frames[max(0, index - 5)])]
    assert moods(observe_all(once, frames)) == moods(observe_all(again, shuffled))


def test_a_restarted_camera_begins_anew_in_the_same_visit(machine: VisitMachine) -> None:
    first = script((Mood.SAD, 3))
    second = [
        frame.model_copy(update={"run_id": "2", "captured_at": frame.captured_at + timedelta(seconds=4)})
        for frame in script((Mood.SAD, 3))
    ]
    events = observe_all(machine, [*first, *second])
    assert moods(events) == [("start", Mood.SAD)]


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_jumps_ends_no_visit(machine: VisitMachine, hours: int) -> None:
    frames = script((Mood.SAD, 3), (Mood.SAD, 3))
    late = [
        frame if index < 30 else frame.model_copy(update={"captured_at": frame.captured_at + timedelta(hours=hours)})
        for index, frame in enumerate(frames)
    ]
    assert moods(observe_all(machine, late)) == [("start", Mood.SAD)]


def test_a_face_that_cannot_be_read_is_seen_but_unsure(machine: VisitMachine) -> None:
    frames = [reading(step / 10, face(Mood.SAD, refused="too dark")) for step in range(30)]
    [start] = observe_all(machine, frames)
    assert (start.phase, start.mood, start.faces) == ("start", Mood.UNSURE, 1)


def test_the_largest_readable_face_decides(machine: VisitMachine) -> None:
    crowd = face(Mood.SAD, 40), face(Mood.HAPPY, 120), face(Mood.ANGRY, 200, refused="too dark")
    events = observe_all(machine, [reading(step / 10, *crowd) for step in range(20)])
    assert moods(events) == [("start", Mood.HAPPY)]
    assert events[0].faces == 3


def test_a_silent_camera_sees_nobody(machine: VisitMachine) -> None:
    observe_all(machine, script((Mood.CALM, 2)))
    assert machine.tick(3.0) == []
    assert [event.phase for event in machine.tick(2.0 + Thresholds().silence_s)] == ["end"]
    assert machine.tick(60.0) == []


def test_a_mood_by_hand_opens_a_session_and_stands_for_its_time(machine: VisitMachine) -> None:
    request = RequestMade(kind="mood.choose", expires_at=expiry(RequestMade))
    [start] = machine.choose_mood(Mood.ANGRY, request, process_s=0.0)
    assert (start.phase, start.reason, start.mood, start.before) == ("start", "forced", Mood.ANGRY, Mood.NOBODY)
    repeats = observe_all(machine, script((Mood.HAPPY, 12))) + [
        event for second in range(13, 60) for event in machine.tick(float(second))
    ]
    assert {(one.reason, one.mood, one.repeated, one.since) for one in repeats} == {
        ("forced", Mood.ANGRY, True, start.since)
    }
    assert len(repeats) in (10, 11)
    assert [event.phase for event in machine.tick(66.0)] == ["end"]


def test_a_mood_by_hand_lives_on_without_any_camera(machine: VisitMachine) -> None:
    request = RequestMade(kind="mood.choose", expires_at=expiry(RequestMade))
    machine.choose_mood(Mood.SAD, request, process_s=0.0)
    events = [event for step in range(1, 240) for event in machine.tick(step / 4)]
    assert [event.phase for event in events] == ["update"] * 11
    assert [event.phase for event in machine.tick(60.0)] == ["end"]


def test_when_a_mood_by_hand_has_run_out_the_face_is_read_again(machine: VisitMachine) -> None:
    request = RequestMade(kind="mood.choose", expires_at=expiry(RequestMade))
    observe_all(machine, script((Mood.HAPPY, 2)))
    machine.choose_mood(Mood.ANGRY, request, process_s=2.0)
    events = observe_all(machine, script((Mood.HAPPY, 70))[20:])
    [back] = [event for event in events if event.reason == "change"]
    assert (back.mood, back.before) == (Mood.HAPPY, Mood.ANGRY)


def test_a_tracker_that_takes_over_keeps_the_mood_chosen_by_hand(machine: VisitMachine) -> None:
    request = RequestMade(kind="mood.choose", expires_at=expiry(RequestMade))
    [start] = machine.choose_mood(Mood.SAD, request, process_s=0.0)
    other = VisitMachine("c", "m", Thresholds())
    other.restore(start, process_s=100.0)
    [again] = other.tick(105.1)
    assert (again.reason, again.mood, again.repeated, again.session_id) == ("forced", Mood.SAD, True, start.session_id)
    assert [event.phase for event in other.tick(160.1)] == ["end"]


def test_a_tracker_that_takes_over_goes_on_with_the_session(machine: VisitMachine) -> None:
    frames = script((Mood.SAD, 3), (Mood.HAPPY, 3), (None, 4))
    [start] = [event for event in observe_all(machine, frames[:20]) if event.phase == "start"]
    other = VisitMachine("c", "m", Thresholds())
    other.restore(start, process_s=2.0)
    events = observe_all(other, frames[20:])
    assert moods(events) == [("update", Mood.HAPPY), ("end", Mood.NOBODY)]
    assert {event.session_id for event in events} == {start.session_id}


def test_a_tracker_that_takes_over_knows_who_is_there_and_what_they_looked_like() -> None:
    """A slip right after the takeover weighs no more than it would have before; nobody is counted twice."""
    often = Thresholds(heartbeat_s=0)
    frames = script((Mood.SAD, 3), (Mood.HAPPY, 0.1), (Mood.SAD, 3))
    before = observe_all(VisitMachine("c", "m", often), frames[:30])
    taking_over = VisitMachine("c", "m", often)
    taking_over.warm_up(frames[5:30])
    taking_over.restore(before[-1], process_s=3.0)
    events = observe_all(taking_over, frames[28:])
    assert {(one.reason, one.mood, one.entered, one.left, len(one.people)) for one in events} == {
        ("heartbeat", Mood.SAD, 1, 0, 1)
    }
    assert len(events) == len(frames) - 30
    assert all(one.probabilities is not None and one.probabilities.sad > 0.7 for one in events)


def test_the_confidence_is_that_of_the_mood_that_is_told_and_it_is_not_told_for_long_after_it_has_lost() -> None:
    machine = VisitMachine("c", "m", Thresholds(heartbeat_s=0))
    turns = [(mood, 0.5) for mood in (Mood.SAD, Mood.ANGRY) * 5]
    lost_s = 0.0
    for event in observe_all(machine, script((Mood.HAPPY, 3), *turns, rate=20)):
        assert event.probabilities is not None
        shares = event.probabilities.model_dump()
        told: Any
        for told in (event, *event.people):
            likeliest = max(shares.values())
            assert told.confidence == pytest.approx(shares.get(told.mood, likeliest))
        lost_s = lost_s + 1 / 20 if event.mood in MOODS and event.confidence < max(shares.values()) else 0.0
        assert lost_s <= 1.3
    assert event.mood is Mood.UNSURE


def test_an_old_or_ended_session_is_not_restored(machine: VisitMachine) -> None:
    [start] = observe_all(machine, script((Mood.SAD, 3)))
    for gone in (
        start.model_copy(update={"phase": "end"}),
        start.model_copy(update={"expires_at": START}),
    ):
        other = VisitMachine("c", "m", Thresholds())
        other.restore(gone, process_s=0.0)
        assert other.end() == []


def test_the_same_reading_gives_the_same_event_id() -> None:
    frames = script((Mood.SAD, 3))
    ids = [observe_all(VisitMachine("c", "m", Thresholds()), frames)[0].id for _ in range(2)]
    assert ids[0] == ids[1]


scenes = st.lists(st.tuples(st.sampled_from([None, *MOODS]), st.floats(0.1, 6)), min_size=1, max_size=12)


@given(scenes, st.sampled_from([2, 7, 25]))
def test_phases_always_come_in_order(parts: list[tuple[Mood | None, float]], rate: float) -> None:
    machine = VisitMachine("c", "m", Thresholds())
    events = observe_all(machine, script(*parts, rate=rate)) + machine.end()
    open_session: str | None = None
    for event in events:
        if event.phase == "start":
            assert open_session is None
            open_session = event.session_id
        assert event.session_id == open_session
        assert (event.mood is Mood.NOBODY) == (event.phase == "end") == (event.probabilities is None)
        if event.reason == "change" and event.phase == "update":
            assert event.mood != event.before
        if event.phase == "end":
            open_session = None
    assert open_session is None


plays = st.lists(st.tuples(st.sampled_from([None, *MOODS]), st.floats(4, 8)), min_size=1, max_size=5)


@pytest.mark.slow
@settings(deadline=None)
@given(plays, st.floats(3, 60), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_any_frame_rate_with_gaps_duplicates_reordering_and_clock_steps_tells_the_same_story(
    parts: list[tuple[Mood | None, float]], rate: float, random: Random, messy: bool, clock_set: bool
) -> None:
    """What is told is what was played, each thing once and within 1.5 s (3 s for leaving), however it arrives."""
    steady = [part for index, part in enumerate(parts) if index == 0 or part[0] != parts[index - 1][0]]
    frames = script(*steady, (None, 4), rate=rate)
    arrivals = [(frame, (frame.captured_at - START).total_seconds()) for frame in frames]
    if clock_set:
        hours, middle = random.choice([-5, 5]), random.randrange(len(arrivals))
        arrivals = [
            (
                one
                if index < middle
                else one.model_copy(update={"captured_at": one.captured_at + timedelta(hours=hours)}),
                at,
            )
            for index, (one, at) in enumerate(arrivals)
        ]
    if messy:
        kept = [one for index, one in enumerate(arrivals) if index % 3 or random.random() > 0.4]
        late = [(frame, at + random.uniform(0, 0.1)) for frame, at in kept + random.sample(kept, len(kept) // 5)]
        arrivals = sorted(late, key=lambda one: one[1])
    machine = VisitMachine("c", "m", Thresholds())
    events = [(event, at) for frame, at in arrivals for event in machine.observe(frame, at)]
    story = [(event.mood, at) for event, at in events if event.reason == "change"]
    assert [mood for mood, _ in story] == [mood or Mood.NOBODY for mood, _ in _from_first_face(steady)]
    for (mood, told_at), begun in zip(story, _begins(steady), strict=True):
        slack = 3 / rate + 0.2 + (1 if clock_set else 0)
        assert begun <= told_at <= begun + (2 if mood is Mood.NOBODY else 1.3) + slack


def _from_first_face(parts: list[tuple[Mood | None, float]]) -> list[tuple[Mood | None, float]]:
    if not any(mood for mood, _ in parts):
        return []
    first = next(index for index, (mood, _) in enumerate(parts) if mood)
    return parts[first:] if parts[-1][0] is None else [*parts[first:], (None, 4)]


def _begins(parts: list[tuple[Mood | None, float]]) -> list[float]:
    at = 0.0
    begins: list[float] = []
    for mood, seconds in [*parts, (None, 0.0)]:
        if (mood or begins) and (mood or parts[-1][0] is not None or (mood, seconds) != (None, 0.0)):
            begins.append(at)
        at += seconds
    return begins


def test_a_camera_whose_clock_was_set_back_between_two_runs_is_followed_again() -> None:
    machine = VisitMachine("c", "m", Thresholds())
    observe_all(machine, [reading(step / 10, face(Mood.SAD), run_id="9") for step in range(20)])
    second = [reading(step / 10, face(Mood.HAPPY), run_id="1") for step in range(40)]
    events = [event for step, one in enumerate(second) for event in machine.observe(one, 4.5 + step / 10)]
    assert moods(events) == [("update", Mood.HAPPY)]


def test_a_late_frame_of_the_run_before_changes_nothing() -> None:
    machine = VisitMachine("c", "m", Thresholds())
    observe_all(machine, [reading(step / 10, face(Mood.SAD), run_id="2", seq=step) for step in range(20)])
    assert machine.observe(reading(0, run_id="1", seq=99), 2.0) == []
    assert (machine.missed, machine.late) == (0, 0)


def test_missed_and_late_frames_are_counted() -> None:
    machine = VisitMachine("c", "m", Thresholds())
    observe_all(machine, [reading(seq / 10, face(Mood.SAD), seq=seq) for seq in (0, 1, 5, 4, 6, 6)])
    assert (machine.missed, machine.late) == (2, 1)


def test_broken_pictures_show_nobody_leaving() -> None:
    machine = VisitMachine("c", "m", Thresholds())
    broken = [
        one.model_copy(update={"error": "broken picture", "faces": ()}) if 25 <= index < 60 else one
        for index, one in enumerate(script((Mood.SAD, 8)))
    ]
    assert moods(observe_all(machine, broken)) == [("start", Mood.SAD)]
