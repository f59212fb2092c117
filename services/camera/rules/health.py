"""Judges a camera by its pictures: dead, stalled, frozen, black, covered, too slow or too fast. Pure.

The watchdog in the parent of the capture process applies these rules, so they also work when that process hangs.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from moodstream.contracts.status_codes import StatusCode

PATIENCE_PICTURES = 2.6
"""So many pictures may be missing; a little more than the capture process waits for, which knows the reason."""

State = Literal["online", "offline", "degraded"]


@dataclass(frozen=True)
class Verdict:
    state: State
    code: StatusCode
    reason: str
    cure: Literal["", "restart", "restart_later"] = ""
    """``restart``: the process is of no use; ``restart_later``: it goes on, and is replaced when that is allowed"""


@dataclass(frozen=True)
class Limits:
    """Seconds, levels from 0 to 255, and shares."""

    start_s: float = 15.0
    """until the capture process runs; a busy machine needs a while"""
    open_s: float = 8.0
    stalled_s: float = 3.0
    frozen_s: float = 3.0
    """0: the picture may stand still"""
    dark_s: float = 2.0
    black_level: float = 8.0
    flat_black_level: float = 24.0
    """black is 16 in video, and not every decoder brings it down to 0"""
    covered_contrast: float = 4.0
    slow_share: float = 0.5
    recovered_share: float = 0.7
    fast_rate: float = 120.0
    over_s: float = 4.0
    """time over which the rate is measured"""

    @classmethod
    def of(cls, frozen_s: float, rate: float) -> "Limits":
        """For a camera that is asked for ``rate`` pictures a second, which may be less than one."""
        slow_s = PATIENCE_PICTURES / rate
        return cls(
            open_s=max(cls.open_s, slow_s),
            stalled_s=max(cls.stalled_s, slow_s),
            frozen_s=max(frozen_s, slow_s) if frozen_s else 0.0,
            over_s=max(cls.over_s, 2 * slow_s),
        )


@dataclass(frozen=True)
class PictureStats:
    """What matters of one picture."""

    digest: int
    light: float
    """mean level"""
    contrast: float
    """standard deviation of the level"""


class Health:
    """The health of one capture process; ``before`` and ``digest`` are its predecessor's verdict and last picture."""

    def __init__(
        self, limits: Limits, now_s: float, before: Verdict | None = None, digest: int | None = None, live: bool = True
    ) -> None:
        self._limits, self._live = limits, live
        self._verdict = before and replace(before, cure="")
        self.digest = digest
        self._started_s = self._last_s = now_s
        self._phase: Literal["starting", "opening", "running"] = "starting"
        self._claimed_rate = 0.0
        self._arrivals: deque[tuple[float, int]] = deque()
        self._same_since_s: float | None = None
        self._same = 0
        self._dark: tuple[StatusCode, float] | None = None
        self._good = False
        self._broken = 0

    def started(self, now_s: float) -> None:
        """The capture process runs and begins to open its source."""
        self._phase, self._last_s = "opening", now_s

    def opened(self, now_s: float, claimed_rate: float) -> None:
        self._phase, self._last_s = "running", now_s
        self._claimed_rate = claimed_rate if 0 < claimed_rate <= 240 else 0.0

    def pulse(self, now_s: float, arrived: int, broken: int = 0) -> None:
        """``arrived`` pictures came from the source so far, ``broken`` ones that could not be read."""
        if not self._arrivals or arrived > self._arrivals[-1][1]:
            self._last_s = now_s
        self._broken = broken
        self._arrivals.append((now_s, arrived))
        while len(self._arrivals) > 2 and now_s - self._arrivals[1][0] >= self._limits.over_s:
            self._arrivals.popleft()

    def picture(self, now_s: float, stats: PictureStats) -> None:
        self._last_s = now_s
        same = stats.digest == self.digest
        self.digest = stats.digest
        self._same = self._same + 1 if same else 0
        if not same:
            self._same_since_s = None
        elif self._same_since_s is None:
            self._same_since_s = now_s
        kind = self._darkness(stats)
        if kind is None:
            self._dark = None
        elif self._dark is None or self._dark[0] != kind:
            self._dark = kind, now_s
        self._good = kind is None and (not same or not self._limits.frozen_s)

    def _darkness(self, stats: PictureStats) -> StatusCode | None:
        flat = stats.contrast < self._limits.covered_contrast
        if stats.light < self._limits.black_level or (flat and stats.light < self._limits.flat_black_level):
            return StatusCode.BLACK
        return StatusCode.COVERED if flat else None

    def rate(self) -> float | None:
        """Pictures a second that come from the source; None while it is not known yet."""
        if len(self._arrivals) < 2:
            return None
        (first_s, first), (last_s, last) = self._arrivals[0], self._arrivals[-1]
        return (last - first) / (last_s - first_s) if last_s - first_s >= self._limits.over_s * 0.75 else None

    def verdict(self, now_s: float, wanted_rate: float) -> Verdict | None:
        """The state of the camera; None while it is not known yet."""
        self._verdict = self._silence_fault(now_s) or self._picture_fault(now_s) or self._rate_fault(wanted_rate)
        return self._verdict

    def _silence_fault(self, now_s: float) -> Verdict | None:
        limits, silent_s = self._limits, now_s - self._last_s
        if self._phase == "starting":
            if silent_s > limits.start_s:
                return Verdict("offline", StatusCode.NOT_STARTED, "the capture process does not start", "restart")
            return self._verdict
        if self._phase == "opening":
            if silent_s > limits.open_s:
                return self._dead(StatusCode.NOT_OPENED, "does not open")
            return self._verdict
        if silent_s > limits.stalled_s:
            self._arrivals.clear()  # the silence says nothing about the rate after it
            return self._dead(StatusCode.STALLED, "gives no pictures")
        return None

    def _dead(self, code: StatusCode, reason: str) -> Verdict:
        """The verdict on a process that gives no pictures, unless it gives some that are broken."""
        if self._broken:
            return Verdict("offline", StatusCode.BROKEN_PICTURES, "sends broken pictures", "restart")
        return Verdict("offline", code, reason, "restart")

    def _picture_fault(self, now_s: float) -> Verdict | None:
        if not self._live:
            return None
        limits = self._limits
        dark = self._dark[0] if self._dark is not None and now_s - self._dark[1] >= limits.dark_s else None
        if dark is StatusCode.BLACK:
            return Verdict("offline", dark, "the picture is black", "restart_later")
        if self._same_since_s is not None and self._same >= 2 and 0 < limits.frozen_s <= now_s - self._same_since_s:
            return Verdict("offline", StatusCode.FROZEN, "the picture is frozen", "restart_later")
        return Verdict("degraded", dark, "the camera seems to be covered") if dark else None

    def _rate_fault(self, wanted_rate: float) -> Verdict | None:
        if self.digest is None or (self._live and not self._good):
            return self._verdict and replace(self._verdict, cure="")
        rate = self.rate() if self._live else None
        if rate is not None:
            wanted = min(wanted_rate, self._claimed_rate or wanted_rate)
            slow = self._verdict is not None and self._verdict.code is StatusCode.TOO_SLOW
            if rate < wanted * (self._limits.recovered_share if slow else self._limits.slow_share):
                reason = f"too slow: less than {wanted:.3g} pictures a second"
                return Verdict("degraded", StatusCode.TOO_SLOW, reason)
            if rate > self._limits.fast_rate:
                reason = f"too fast: more than {self._limits.fast_rate:.0f} pictures a second"
                return Verdict("degraded", StatusCode.TOO_FAST, reason)
        return Verdict("online", StatusCode.LIVE if self._live else StatusCode.FILE, "")
