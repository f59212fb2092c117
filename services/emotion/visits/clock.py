"""The order of one camera's readings, and the time between them. Pure.

Time is the camera's own (``captured_at``), added up in small steps: a clock that is set by hours moves it by nothing.
"""

from datetime import datetime

from moodstream.contracts.events import FacesRead

MAX_STEP_S = 3.0
"""Longer times between two frames count as this much."""
CLOCK_SET_S = 10.0
"""Longer steps mean that somebody set the clock: a camera silent for that long has already ended its session."""


class CameraClock:
    """Accepts readings in the order of (run, number) and keeps the time by their frames."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.missed = 0
        """frames without a reading"""
        self.late = 0
        """readings that arrived after a newer one and were not used"""
        self._last: tuple[str, int] = ("", -1)
        self._captured_at: datetime | None = None

    def accepts(self, reading: FacesRead, silent: bool) -> bool:
        """Whether the reading is newer than the last one; if so, it becomes the last one.

        After silence a lower run id is accepted too: the camera's clock was set back between two runs.
        """
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
        """Move on to the time of a frame."""
        if self._captured_at is not None:
            step_s = (captured_at - self._captured_at).total_seconds()
            if 0 < step_s < CLOCK_SET_S:
                self.now_s += min(step_s, MAX_STEP_S)
        self._captured_at = captured_at
