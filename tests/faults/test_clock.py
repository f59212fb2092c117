"""Somebody sets the clock of the machine, two hours ahead and four back, while the whole chain is at work."""

from pathlib import Path

from services.camera.drawn.pattern import SCRIPT
from tests.faults.clock import try_it

STAYS_S = sum(seconds for _, seconds in SCRIPT[:-1])
"""of the drawn face, before it walks away"""


def test_a_clock_that_is_set_loses_nothing_and_ends_no_visit(tmp_path: Path) -> None:
    found = try_it(tmp_path)
    print(found)
    assert found["broken"] == []
    assert found["process ends"] == 0
    stays_s = [dwell for dwell, phase in zip(found["dwells_s"], found["phases"], strict=True) if phase == "end"]
    assert stays_s
    assert all(abs(stay - STAYS_S) < 2 for stay in stays_s), stays_s
    # a pick every half second; those in the moment of a step may have expired with their offer
    assert found["rankings"] >= 60
