"""Pacing and back-off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.camera.capture import Backoff, Pace


def test_frames_are_due_evenly() -> None:
    pace = Pace(10)
    assert [pace.next(0.0) for _ in range(4)] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_what_was_missed_is_left_out() -> None:
    pace = Pace(10)
    assert pace.next(0.0) == 0
    assert pace.next(1.234) == pytest.approx(1.2)
    assert pace.next(1.234) == pytest.approx(1.3)


@given(st.floats(0.5, 60), st.lists(st.floats(0, 3), max_size=50))
def test_places_only_grow_and_are_never_a_whole_frame_late(rate: float, steps: list[float]) -> None:
    pace, elapsed, last = Pace(rate), 0.0, -1.0
    for step in steps:
        elapsed += step
        place = pace.next(elapsed)
        assert place > last
        assert elapsed - place <= 1 / rate + 1e-6
        last = place


def test_pauses_double_up_to_thirty_seconds_and_begin_anew() -> None:
    backoff = Backoff()
    assert [backoff.pause_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.pause_s() == 1
