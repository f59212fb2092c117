"""Pacing and back-off."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.camera.rules.pacing import Gate, Pace, Restarts


def test_frames_are_due_evenly() -> None:
    pace = Pace(10)
    assert [pace.next_s(0.0) for _ in range(4)] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_what_was_missed_is_left_out() -> None:
    pace = Pace(10)
    assert pace.next_s(0.0) == 0
    assert pace.next_s(1.234) == pytest.approx(1.2)
    assert pace.next_s(1.234) == pytest.approx(1.3)


@given(st.floats(0.5, 60), st.lists(st.floats(0, 3), max_size=50))
def test_places_only_grow_and_are_never_a_whole_frame_late(rate: float, steps: list[float]) -> None:
    pace, elapsed, last = Pace(rate), 0.0, -1.0
    for step in steps:
        elapsed += step
        place = pace.next_s(elapsed)
        assert place > last
        assert elapsed - place <= 1 / rate + 1e-6
        last = place


def test_pauses_double_up_to_thirty_seconds_and_begin_anew_after_half_a_minute_of_good_pictures() -> None:
    restarts = Restarts()
    assert [restarts.next_delay_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    restarts.good(100)
    restarts.good(129)
    assert restarts.next_delay_s() == 30
    restarts.good(131)
    assert restarts.next_delay_s() == 1


def test_one_good_picture_is_no_success() -> None:
    restarts, now_s = Restarts(), 0.0
    pauses = []
    for _ in range(5):
        restarts.good(now_s)
        restarts.bad()
        pauses.append(restarts.next_delay_s())
        now_s += 31
    assert pauses == [1, 2, 4, 8, 16]


def test_five_restarts_a_minute_at_most() -> None:
    restarts, now_s, times = Restarts(), 0.0, []
    while now_s < 300:
        if restarts.allowed_in_s(now_s) == 0:
            restarts.started(now_s)
            times.append(now_s)
        now_s += 0.5
    assert max(sum(begin <= one < begin + 60 for one in times) for begin in times) == 5


@pytest.mark.parametrize(("given", "wanted", "least", "most"), [(30, 10, 95, 105), (10, 10, 95, 105), (8, 10, 78, 82)])
def test_a_camera_in_its_own_time_is_thinned_out_evenly(given: int, wanted: int, least: int, most: int) -> None:
    gate, random = Gate(wanted), Random(1)
    let = sum(gate.is_due(number / given + random.uniform(0, 0.015)) for number in range(10 * given))
    assert least <= let <= most


def test_a_raised_rate_holds_at_once() -> None:
    gate = Gate(0.2)
    assert gate.is_due(0.0)
    assert not gate.is_due(1.0)
    gate.rate = 10
    assert gate.is_due(1.1)
    assert not gate.is_due(1.15)
    assert gate.is_due(1.2)
