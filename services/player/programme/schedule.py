"""When the output may be asked for something, and when it is to be checked. Pure."""

from moodstream.contracts.events import PlaybackState
from services.player.outputs import LASTING

FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 15.0
LASTING_PAUSE_S = 5.0
"""How often it is checked whether a person has signed in; that asks nobody over the network."""
CHECK_AFTER_PLAY_S = 1.0
"""A song that a service passes over is something else a moment later."""
NOW, NEVER = float("-inf"), float("inf")


class Schedule:
    """In seconds of a monotonic clock."""

    def __init__(self, check_every_s: float | None) -> None:
        """``check_every_s`` is None for an output where there is nothing to see."""
        self._check_every_s = check_every_s
        self._check_at_s = NOW
        self._blocked_until_s = NOW
        self._failures = 0

    def is_blocked(self, now_s: float) -> bool:
        return now_s < self._blocked_until_s

    def is_check_due(self, now_s: float) -> bool:
        return now_s >= self._check_at_s

    def check_now(self) -> None:
        self._blocked_until_s = self._check_at_s = NOW

    def note_success(self, *, played: bool, now_s: float) -> None:
        """``played``: whether a song was begun."""
        self._failures, self._blocked_until_s = 0, NOW
        wait_s = self._check_every_s
        if wait_s is not None and played:
            wait_s = min(wait_s, CHECK_AFTER_PLAY_S)
        self._check_at_s = NEVER if wait_s is None else now_s + wait_s

    def note_failure(self, state: PlaybackState, wait_s: float | None, now_s: float) -> None:
        """``wait_s`` is how long the output itself asks to wait, if it does."""
        self._failures += 1
        if wait_s is None and state in LASTING:
            wait_s = LASTING_PAUSE_S
        elif wait_s is None:
            wait_s = min(FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10), MAX_PAUSE_S)
        self._check_at_s = self._blocked_until_s = now_s + wait_s
