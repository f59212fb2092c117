"""How long waits may be, from how long round trips took."""

import pytest

from shared.bus.line_speed import KEPT_S, MAX_S, LineSpeed


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


def measured(*seconds: float) -> LineSpeed:
    line = LineSpeed(Clock())
    for one in seconds:
        line.note("redis", one)
    return line


@pytest.mark.parametrize("seconds", [(), (0.001,), (0.03, 0.09, 0.05), (0.01, 2.8, 0.01)])
def test_on_a_fast_line_nobody_waits_longer(seconds: tuple[float, ...]) -> None:
    line = measured(*seconds)
    assert line.patience_s(4.0, 12) == 4.0
    assert line.block_ms(2_000) == 2_000
    assert not line.many_at_once
    assert not line.slow


@pytest.mark.parametrize("round_trip_s", [0.25, 0.5, 0.8])
def test_waits_grow_with_the_round_trip(round_trip_s: float) -> None:
    line = measured(*[round_trip_s] * 4)
    assert line.patience_s(4.0, 12) == pytest.approx(4.0 + 12 * round_trip_s)
    assert line.block_ms(2_000) / 1000 + round_trip_s == pytest.approx(2.0), "below the socket's time-out"
    assert line.block_ms(500) == 500
    assert line.many_at_once


def test_no_wait_grows_without_bounds() -> None:
    assert measured(7.0, 7.0, 7.0).patience_s(4.0, 12) == 4.0 + 12 * MAX_S


def test_the_slower_of_two_servers_counts() -> None:
    line = measured(0.01, 0.01, 0.01)
    for _ in range(3):
        line.note("frames", 0.6)
    assert line.round_trip_s == 0.6
    assert line.slow


def test_what_is_long_ago_is_forgotten() -> None:
    line = measured(0.8, 0.8, 0.8)
    assert line.slow
    for _ in range(int(KEPT_S) + 1):
        line.note("redis", 0.01)
    assert line.round_trip_s == 0.01
    assert not line.slow


def test_a_line_is_slow_when_no_round_trip_is_short_and_until_one_clearly_is() -> None:
    line = measured(0.8, 0.8)
    assert not line.slow, "a busy start is no slow line"
    line.note("redis", 0.3)
    assert line.slow
    line.note("redis", 0.24)
    assert line.slow
    line.note("redis", 0.1)
    assert not line.slow


def test_a_line_may_be_too_slow() -> None:
    line = measured(0.8, 0.9, 4.0)
    assert line.slow
    assert not line.too_slow
    assert measured(1.2, 1.3, 1.4).too_slow
