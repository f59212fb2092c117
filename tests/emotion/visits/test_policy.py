"""Several faces: who is who, who comes and goes, and which mood they have together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodstream.contracts.events import FaceRead, MoodChanged
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.face_tracks import FaceTracks
from services.emotion.visits.policy import Policy
from services.emotion.visits.smoothing import Steadiness
from services.emotion.visits.stillness import StillPlaces
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit_machine import VisitMachine
from tests.support.emotion.readings import SURE, moods, observe_all, reading


def face(mood: Mood, x: int, side: int = 100, refused: str | None = None) -> FaceRead:
    return FaceRead(box=(x, 100, side, side), mood=mood, confidence=0.85, probabilities=SURE[mood], refused=refused)


def scene(*faces: FaceRead, seconds: float = 3, start_s: float = 0, machine: VisitMachine) -> list[MoodChanged]:
    frames = [reading(start_s + step / 10, *faces) for step in range(round(seconds * 10))]
    return observe_all(machine, frames)


def machine_of(policy: Policy = "largest") -> VisitMachine:
    return VisitMachine("c", "m", Thresholds(policy=policy))


LEFT, MIDDLE, RIGHT = 0, 300, 600


@pytest.mark.parametrize(("policy", "mood"), [("largest", Mood.ANGRY), ("average", Mood.SAD), ("majority", Mood.SAD)])
def test_the_policies_differ_as_they_say(policy: Policy, mood: Mood) -> None:
    crowd = face(Mood.SAD, LEFT), face(Mood.ANGRY, MIDDLE, side=150), face(Mood.SAD, RIGHT)
    [start, *rest] = scene(*crowd, machine=machine_of(policy))
    assert (start.phase, start.mood, start.policy, start.faces) == ("start", mood, policy, 3)
    assert moods(rest) == []


@pytest.mark.parametrize("policy", ["average", "majority"])
def test_two_of_opposite_moods_have_none_together(policy: Policy) -> None:
    [start, *_] = scene(face(Mood.SAD, LEFT), face(Mood.HAPPY, RIGHT), machine=machine_of(policy))
    assert start.mood is Mood.UNSURE


def test_two_of_about_the_same_size_do_not_take_turns() -> None:
    machine = machine_of()
    events = []
    for step in range(100):
        left, right = (100, 108) if step % 2 else (108, 100)
        frame = reading(step / 10, face(Mood.SAD, LEFT, left), face(Mood.HAPPY, RIGHT, right))
        events += observe_all(machine, [frame])
    assert len(moods(events)) == 1


def test_one_who_steps_clearly_closer_takes_the_lead() -> None:
    machine = machine_of()
    events = scene(face(Mood.SAD, LEFT), face(Mood.HAPPY, RIGHT, 90), machine=machine)
    events += scene(face(Mood.SAD, LEFT), face(Mood.HAPPY, RIGHT, 150), start_s=3, machine=machine)
    assert moods(events) == [("start", Mood.SAD), ("update", Mood.HAPPY)]


def test_people_are_counted_as_they_come_and_go() -> None:
    machine = machine_of()
    events = scene(face(Mood.SAD, LEFT), machine=machine)
    events += scene(face(Mood.SAD, LEFT), face(Mood.HAPPY, RIGHT, 80), start_s=3, machine=machine)
    events += scene(face(Mood.SAD, LEFT), start_s=6, machine=machine)
    events += scene(start_s=9, machine=machine)
    start, came, *_, end = events
    assert (start.entered, start.left, [one.number for one in start.people]) == (1, 0, [1])
    assert (came.entered, came.left, len(came.people)) == (2, 0, 2)
    gone = next(one for one in events if one.left == 1)
    assert [one.mood for one in gone.people] == [Mood.SAD]
    assert gone.people[0].dwell_s == pytest.approx(gone.dwell_s, abs=0.2)
    assert (end.phase, end.entered, end.left) == ("end", 2, 2)
    assert end.dwell_s == pytest.approx(8.9, abs=0.2)
    assert all(one.repeated for one in (came, gone))


def test_a_face_that_flashes_up_beside_somebody_is_nobody() -> None:
    machine = machine_of()
    events = []
    for step in range(60):
        others = [face(Mood.ANGRY, RIGHT)] if step % 20 == 10 else []
        events += observe_all(machine, [reading(step / 10, face(Mood.SAD, LEFT), *others)])
    assert events[-1].entered == 1


def test_an_unread_face_gives_the_lead_to_one_that_can_be_read() -> None:
    machine = machine_of()
    scene(face(Mood.SAD, LEFT, 200), face(Mood.HAPPY, RIGHT), machine=machine)
    dark = face(Mood.SAD, LEFT, 200, refused="too dark")
    events = scene(dark, face(Mood.HAPPY, RIGHT), start_s=3, machine=machine, seconds=4)
    assert moods(events) == [("update", Mood.HAPPY)]


def test_people_who_cross_keep_their_numbers_while_apart() -> None:
    tracks = FaceTracks(Steadiness(), arrival_s=0.3, lost_s=1.0, unread_s=1.0, places=StillPlaces(0))
    for step in range(20):
        tracks.observe([face(Mood.SAD, 10 * step), face(Mood.HAPPY, 600 - 10 * step)], step / 10)
    assert [(one.number, one.face.mood) for one in tracks.people()] == [(1, Mood.SAD), (2, Mood.HAPPY)]


frames = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(MOODS), st.integers(0, 600), st.integers(30, 200)), max_size=4),
        st.floats(0.01, 3),
        st.booleans(),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(frames, st.sampled_from(["largest", "average", "majority"]))
def test_counts_always_agree(shown: list[tuple[list[tuple[Mood, int, int]], float, bool]], policy: Policy) -> None:
    """Whatever is shown, in whatever rhythm: who is there is who has come less who has left, and time goes on."""
    machine, moment, events = machine_of(policy), 0.0, []
    for seq, (faces, step, dark) in enumerate(shown):
        moment += step
        seen = [face(mood, x, side, "too dark" if dark else None) for mood, x, side in faces]
        events += observe_all(machine, [reading(moment, *seen, seq=seq)])
    dwell = entered = 0.0
    for event in [*events, *machine.end()]:
        assert event.entered >= event.left >= 0
        if event.phase == "start":
            dwell = entered = 0
        assert event.dwell_s >= dwell
        assert event.entered >= entered
        dwell, entered = event.dwell_s, event.entered
        assert len(event.people) == event.entered - event.left
        assert all(0 <= one.dwell_s <= event.dwell_s + 3 for one in event.people)
        if event.phase == "update" and event.reason == "change":
            assert event.mood != event.before


def test_another_policy_counts_from_the_next_event_on() -> None:
    crowd = face(Mood.SAD, LEFT), face(Mood.ANGRY, MIDDLE, side=150), face(Mood.SAD, RIGHT)
    machine = machine_of("largest")
    [start, *_] = scene(*crowd, machine=machine)
    assert (start.mood, start.policy) == (Mood.ANGRY, "largest")
    machine.change_policy("majority")
    later = scene(*crowd, start_s=3, machine=machine)
    assert {(one.mood, one.policy) for one in later if one.reason == "change"} == {(Mood.SAD, "majority")}
    assert not any(one.phase == "start" for one in later), "the visit goes on"
