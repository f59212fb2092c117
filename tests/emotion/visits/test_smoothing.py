"""Smoothing and hysteresis, for any frame rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.smoothing import HeldMood, Steadiness, SteadyMood

HAPPY, SAD, FLAT = (0.05, 0.8, 0.1, 0.05), (0.1, 0.05, 0.8, 0.05), (0.25, 0.25, 0.25, 0.25)

shares = st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda p: sum(p) > 0.1)
readings = st.lists(st.tuples(shares, st.floats(0, 2)), min_size=1, max_size=50)


def named(mood: SteadyMood) -> Mood | None:
    """The mood as a call, so that a checker does not believe it to stand still."""
    return mood.mood


def show(mood: SteadyMood, probabilities: tuple[float, ...], start_s: float, seconds: float, rate: float) -> float:
    """Read the same probabilities at a rate; returns the time at which the mood became what it is now."""
    since, before = start_s, mood.mood
    for step in range(round(seconds * rate)):
        at = start_s + step / rate
        mood.add_reading(probabilities, at)
        if mood.mood != before:
            since, before = at, mood.mood
    return since


@pytest.mark.parametrize("rate", [3, 10, 30, 60])
def test_a_change_is_named_after_about_the_same_time_at_any_rate(rate: float) -> None:
    mood = SteadyMood(Steadiness())
    show(mood, HAPPY, 0, 2, rate)
    assert named(mood) is Mood.HAPPY
    changed = show(mood, SAD, 2, 3, rate)
    assert named(mood) is Mood.SAD
    assert 0.4 <= changed - 2 <= 1.5


@pytest.mark.parametrize("rate", [10, 30])
def test_a_flicker_changes_nothing(rate: float) -> None:
    mood = SteadyMood(Steadiness())
    show(mood, HAPPY, 0, 2, rate)
    for burst in range(10):
        show(mood, SAD, 2 + burst, 2 / rate, rate)
        show(mood, HAPPY, 2 + burst + 2 / rate, 1 - 2 / rate, rate)
        assert named(mood) is Mood.HAPPY


@pytest.mark.parametrize("rate", [6, 10, 30])
def test_a_grimace_that_has_passed_is_not_named_afterwards(rate: float) -> None:
    """Strong readings for less than a second outweigh weaker ones for longer, but are over when they would be named."""
    mood = SteadyMood(Steadiness())
    show(mood, SAD, 0, 2, rate)
    show(mood, (0.01, 0.9, 0.04, 0.05), 2, 0.9, rate)
    for step in range(round(2 * rate)):
        assert named(mood) is not Mood.HAPPY
        mood.add_reading((0.12, 0.22, 0.46, 0.2), 2.9 + step / rate)


@pytest.mark.parametrize("rate", [6, 10, 30])
def test_a_mood_that_has_lost_is_not_held_while_others_take_turns(rate: float) -> None:
    """None of them leads for long enough to be named, but the one that was is long over."""
    mood = SteadyMood(Steadiness())
    show(mood, HAPPY, 0, 2, rate)
    for turn in range(10):
        show(mood, SAD if turn % 2 else (0.8, 0.05, 0.1, 0.05), 2 + turn / 2, 0.5, rate)
    assert named(mood) is not Mood.HAPPY
    show(mood, HAPPY, 7, 2, rate)
    assert named(mood) is Mood.HAPPY


def test_what_already_leads_does_not_begin_to_wait_anew_when_the_lost_mood_is_dropped() -> None:
    held = HeldMood(0.6, Mood.HAPPY)
    named_at_s: dict[Mood | None, float] = {}
    for step in range(20):
        at_s = step / 10
        held.decide(Mood.SAD if at_s >= 1 else Mood.UNSURE if at_s >= 0.5 else Mood.CALM, at_s)
        named_at_s.setdefault(held.mood, at_s)
    assert named_at_s == {Mood.HAPPY: 0, Mood.UNSURE: 1.3, Mood.SAD: 1.6}


def test_no_reading_invents_a_mood() -> None:
    mood = SteadyMood(Steadiness())
    show(mood, FLAT, 0, 2, 10)
    assert named(mood) is Mood.UNSURE


def test_a_face_that_cannot_be_read_becomes_unsure() -> None:
    mood = SteadyMood(Steadiness())
    show(mood, HAPPY, 0, 2, 10)
    mood.add_unread(2.0)
    assert named(mood) is Mood.HAPPY
    mood.add_unread(2.7)
    assert named(mood) is Mood.UNSURE


@given(readings)
def test_probabilities_stay_probabilities_and_time_may_stand_still(frames: list[tuple[list[float], float]]) -> None:
    mood, at = SteadyMood(Steadiness()), 0.0
    for probabilities, step in frames:
        at += step
        mood.add_reading(probabilities, at)
        assert sum(mood.probabilities) == pytest.approx(1)
        assert all(0 <= p <= 1 for p in mood.probabilities)
        assert mood.mood in (*MOODS, Mood.UNSURE)


@given(shares, st.floats(0.01, 5))
def test_the_same_reading_again_changes_nothing(probabilities: list[float], step: float) -> None:
    mood = SteadyMood(Steadiness())
    mood.add_reading(probabilities, 0)
    first = mood.probabilities
    mood.add_reading(probabilities, step)
    assert mood.probabilities == pytest.approx(first)
