"""Face, voice and words together."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodstream.contracts.events import MoodChanged, RequestMade, WordsRead, expiry
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.fusion import HALVED_S, LEAST, RELIABILITY, Fusion, Heard
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit_machine import VisitMachine
from tests.support.emotion.readings import moods, observe_all, script

CAUSE = WordsRead(camera_id="c", probabilities=None, valence=None, model="w")


def shares(mood: Mood, probability: float = 0.85) -> tuple[float, ...]:
    return tuple(probability if one == mood else (1 - probability) / 3 for one in MOODS)


@pytest.fixture
def machine() -> VisitMachine:
    return VisitMachine("c", "m", Thresholds())


def told(events: list[MoodChanged]) -> list[tuple[str, str, Mood]]:
    return [(event.phase, event.reason, event.mood) for event in events]


simplex = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda all_: tuple(one / sum(all_) for one in all_))


@given(simplex, simplex, st.sampled_from(list(HALVED_S)))
def test_a_pool_sums_to_one_and_knows_its_sources(
    face: tuple[float, ...], heard: tuple[float, ...], kind: Heard
) -> None:
    fusion = Fusion()
    fusion.hear(kind, heard, 0.0)
    pool = fusion.pool(face, 0.0)
    assert pool is not None
    assert sum(pool.shares) == pytest.approx(1)
    assert [(source.kind, source.weight) for source in pool.sources] == [("face", 1.0), (kind, RELIABILITY[kind])]


@given(st.sampled_from(MOODS), simplex)
def test_a_sure_face_is_not_turned_over_by_a_voice(mood: Mood, voice: tuple[float, ...]) -> None:
    farthest = ((1 - 3 * LEAST["voice"]) / LEAST["voice"]) ** RELIABILITY["voice"]
    fusion = Fusion()
    fusion.hear("voice", voice, 0.0)
    face = shares(mood, 0.9)
    assert face[MOODS.index(mood)] > farthest * min(face), "0.9 counts as sure"
    pool = fusion.pool(face, 0.0)
    assert pool is not None
    assert max(pool.shares) == pool.shares[MOODS.index(mood)]


def test_without_anything_heard_there_is_no_pool() -> None:
    assert Fusion().pool(shares(Mood.HAPPY), 0.0) is None


@pytest.mark.parametrize("age_s", [0.0, 6.0])
@given(simplex)
def test_what_is_heard_alone_is_believed_as_it_stands(age_s: float, voice: tuple[float, ...]) -> None:
    fusion = Fusion()
    fusion.hear("voice", voice, 0.0)
    pool = fusion.pool(None, age_s)
    assert pool is not None
    least = [max(share, LEAST["voice"]) for share in voice]
    assert pool.shares == pytest.approx([share / sum(least) for share in least])


def test_a_voice_alone_that_is_fairly_sure_tells_a_mood(machine: VisitMachine) -> None:
    [start] = machine.hear("voice", (0.8, 0.15, 0.03, 0.02), CAUSE, 0.0)
    assert (start.mood, start.faces) == (Mood.ANGRY, 0)


def test_what_was_heard_fades_and_is_forgotten() -> None:
    fusion = Fusion()
    fusion.hear("words", shares(Mood.SAD), 0.0)
    weights = [pool.sources[0].weight for second in (0, 20, 40) if (pool := fusion.pool(None, second))]
    assert weights == [RELIABILITY["words"] * half for half in (1, 0.5, 0.25)]
    assert fusion.pool(None, 200.0) is None
    assert fusion.pool(None, 0.0) is None, "forgotten is forgotten, whatever a clock says"


def test_words_alone_open_a_visit_and_stand_without_any_camera(machine: VisitMachine) -> None:
    [start] = machine.hear("words", shares(Mood.SAD), CAUSE, 0.0)
    assert told([start]) == [("start", "change", Mood.SAD)]
    assert (start.faces, [source.kind for source in start.sources]) == (0, ["words"])
    repeats = [event for step in range(1, 240) for event in machine.tick(step / 4)]
    assert {(event.phase, event.reason, event.mood, event.repeated) for event in repeats} == {
        ("update", "heartbeat", Mood.SAD, True)
    }
    assert len({event.session_id for event in (start, *repeats)}) == 1
    assert [event.phase for event in machine.tick(60.0)] == ["end"]


def test_words_change_the_mood_of_a_face_at_once_and_pass(machine: VisitMachine) -> None:
    frames = script((Mood.HAPPY, 90))
    observe_all(machine, frames[:30])
    [change] = machine.hear("words", shares(Mood.SAD, 0.97), CAUSE, 3.0)
    assert told([change]) == [("update", "change", Mood.SAD)]
    assert {source.kind for source in change.sources} == {"face", "words"}
    later = observe_all(machine, frames[30:])
    assert [event.mood for event in later if event.reason == "change"][-1:] == [Mood.HAPPY]
    assert later[-1].sources == ()


def test_a_voice_that_agrees_changes_no_mood(machine: VisitMachine) -> None:
    observe_all(machine, script((Mood.HAPPY, 3)))
    [same] = machine.hear("voice", shares(Mood.HAPPY, 0.6), CAUSE, 3.0)
    assert told([same]) == [("update", "heartbeat", Mood.HAPPY)]
    assert same.repeated


def test_the_next_visitor_is_not_told_what_the_last_one_wrote(machine: VisitMachine) -> None:
    frames = script((Mood.HAPPY, 3), (None, 4), (Mood.HAPPY, 3))
    observe_all(machine, frames[:30])
    machine.hear("words", shares(Mood.SAD, 0.99), CAUSE, 3.0)
    events = observe_all(machine, frames[30:])
    assert moods(events)[-1] == ("start", Mood.HAPPY)
    assert events[-1].sources == ()


def test_a_visit_of_words_goes_on_with_the_face_that_comes(machine: VisitMachine) -> None:
    [start] = machine.hear("words", shares(Mood.CALM), CAUSE, 0.0)
    events = observe_all(machine, script((Mood.CALM, 6), (None, 4)))
    assert {event.session_id for event in events} == {start.session_id}
    assert [event.phase for event in events][-1] == "end", "whoever is seen to leave has left"


@pytest.mark.parametrize("ended", [True, False])
def test_words_stand_where_the_camera_has_rested_since_a_face_was_seen(machine: VisitMachine, ended: bool) -> None:
    observe_all(machine, script((Mood.HAPPY, 3)))
    if ended:
        machine.end()
    machine.hear("words", shares(Mood.SAD, 0.97), CAUSE, 9.0)
    later = [event for second in range(10, 60) for event in machine.tick(float(second))]
    assert later
    assert {event.phase for event in later} == {"update"}
    assert [event.phase for event in machine.tick(70.0)] == ["end"]


def test_words_take_the_place_of_a_mood_by_hand_and_a_voice_does_not(machine: VisitMachine) -> None:
    request = RequestMade(kind="mood.choose", expires_at=expiry(RequestMade))
    machine.choose_mood(Mood.ANGRY, request, process_s=0.0)
    assert machine.hear("voice", shares(Mood.SAD), CAUSE, 1.0) == []
    [change] = machine.hear("words", shares(Mood.SAD), CAUSE, 2.0)
    assert told([change]) == [("update", "change", Mood.SAD)]
    [by_hand] = machine.choose_mood(Mood.HAPPY, request, process_s=3.0)
    assert (by_hand.mood, by_hand.sources) == (Mood.HAPPY, ())


def test_a_tracker_that_takes_over_remembers_what_was_heard(machine: VisitMachine) -> None:
    [start] = machine.hear("words", shares(Mood.SAD), CAUSE, 0.0)
    other = VisitMachine("c", "m", Thresholds())
    other.restore(start, process_s=100.0)
    [heartbeat] = other.tick(105.0)
    assert heartbeat.session_id == start.session_id
    assert [source.kind for source in heartbeat.sources] == ["words"]
    assert [event.phase for event in other.tick(161.0)] == ["end"]


def test_the_same_cause_makes_the_same_event() -> None:
    events = [VisitMachine("c", "m", Thresholds()).hear("words", shares(Mood.SAD), CAUSE, 0.0)[0] for _ in range(2)]
    assert events[0].id == events[1].id
    assert events[0].session_id == events[1].session_id


TOLD_BEFORE = "d8672a7f61291d7d1b6a2512658f61667113e96ff1f42592ecf9b38959382dbf"
"""SHA-256 of what this script of faces led to at 31eb0bb~1, before words and voices were heard, to twelve digits."""
TOLD = {"phase", "reason", "mood", "before", "probabilities", "confidence", "valence", "arousal", "faces"}


def as_text(event: MoodChanged) -> str:
    return json.dumps(
        json.loads(event.model_dump_json(include=TOLD), parse_float=lambda number: f"{float(number):.12g}"),
        sort_keys=True,
    )


def test_where_nothing_is_heard_events_are_what_they_were_before_anything_could_be(machine: VisitMachine) -> None:
    faces = script((Mood.HAPPY, 9), (Mood.SAD, 4), (None, 4), (Mood.ANGRY, 7), (Mood.CALM, 6))
    events = observe_all(machine, faces)
    assert hashlib.sha256("\n".join(map(as_text, events)).encode()).hexdigest() == TOLD_BEFORE
    assert all(event.sources == () for event in events)
