"""The order of one camera's readings, and the time that has passed between them. Pure.

Time is the camera's own (``captured_at``), taken in small steps, so a clock that jumps by hours moves it by nothing.
"""

from datetime import datetime

from moodstream.contracts.events import FacesRead

MAX_STEP_S = 3.0
"""A longer time between two frames is a gap."""
CLOCK_SET_S = 10.0
"""And one longer than this a clock that was set: a camera silent for so long has ended its session already."""


class CameraClock:
    """Readings in the order of (run, number); what is older than the last one taken is refused."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.missed = 0
        """frames of which no reading has come"""
        self.late = 0
        """readings that were not used, because a newer one was"""
        self._last: tuple[str, int] = ("", -1)
        self._captured_at: datetime | None = None

    def takes(self, reading: FacesRead, silent: bool) -> bool:
        """Whether a reading is next; after silence also one of a run of lower name: the camera's clock was set back."""
        run_id, seq = self._last
        if reading.run_id == run_id:
            if seq >= reading.seq:
                self.late += seq > reading.seq
                self.missed -= seq > reading.seq  # it came after all
                return False
            self.missed += reading.seq - seq - 1
        elif reading.run_id < run_id and not silent:
            return False
        self._last = (reading.run_id, reading.seq)
        return True

    def advance(self, captured_at: datetime) -> None:
        if self._captured_at is not None:
            step_s = (captured_at - self._captured_at).total_seconds()
            if 0 < step_s < CLOCK_SET_S:
                self.now_s += min(step_s, MAX_STEP_S)
        self._captured_at = captured_at
