"""Pictures of guests, which are browsers and programs: a fair share for each, and the site's own cameras first.

What a picture costs is its pixels. Each source has a budget of them and all together have one; while a camera of the
site sends, guests only fill the gaps, so that however much they send, each of its pictures is read in time. Places are
held by those who send pictures: connections alone hold none.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from moodstream.contracts.events import FrameCaptured, utc_now
from moodstream.contracts.status_codes import StatusCode
from services.gateway.pictures.picture_size import pixels_of
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.contracts.site_state import SiteState
from shared.networks import is_here, network_of

JPEG_MAGIC = b"\xff\xd8\xff"
MAX_FRAMES_PER_S = 15
MAX_PIXELS = 2_100_000
"""1920 x 1080 and a little; faces are read in far smaller ones."""
UNKNOWN_PIXELS = 100_000
"""Counted for a picture whose header says nothing; whoever reads faces refuses it at a glance."""
SOURCE_PIXELS_PER_S = MAX_FRAMES_PER_S * 640 * 480
ALL_PIXELS_PER_S = 2 * SOURCE_PIXELS_PER_S
SITE_WATCHES_S = timedelta(seconds=3)
"""A camera of the site sends as long as its last picture is not older."""


@dataclass(frozen=True)
class Refusal:
    """Why a picture is not taken."""

    code: Literal["no_jpeg", "too_fast", "too_large", "busy", "not_taken"]
    reason: str


NO_JPEG = Refusal("no_jpeg", "this is no JPEG picture")
TOO_FAST = Refusal("too_fast", f"more than {MAX_FRAMES_PER_S} pictures a second, or too many pixels")
TOO_LARGE = Refusal("too_large", "the picture has more than 1920 x 1080 pixels; make it smaller")
BUSY = Refusal("busy", "the site's own cameras need all there is")
NOT_TAKEN = Refusal("not_taken", "Redis did not take it")


@dataclass
class Pixels:
    """A budget: so many pixels a second, and those of two seconds, or of one large picture, at once."""

    per_s: float
    left: float = field(init=False)
    at_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.left = self._most

    @property
    def _most(self) -> float:
        return max(2 * self.per_s, MAX_PIXELS)

    def can_pay(self, pixels: int, now: float) -> bool:
        self.left = min(self._most, self.left + max(0.0, now - self.at_s) * self.per_s)
        self.at_s = now
        return self.left >= pixels


@dataclass
class FrameGate:
    """Of one source: lets a picture in or says why not; ``now`` is monotonic seconds."""

    min_gap_s: float = 1 / MAX_FRAMES_PER_S
    last_s: float = field(default=float("-inf"))
    pixels: Pixels = field(default_factory=lambda: Pixels(SOURCE_PIXELS_PER_S))

    def refusal(self, picture: bytes, now: float, all_pixels: Pixels | None = None) -> Refusal | None:
        """``all_pixels`` is the budget of all sources together."""
        if not picture.startswith(JPEG_MAGIC):
            return NO_JPEG
        pixels = pixels_of(picture) or UNKNOWN_PIXELS
        if pixels > MAX_PIXELS:
            return TOO_LARGE
        if now - self.last_s < self.min_gap_s:
            return TOO_FAST
        budgets = [budget for budget in (self.pixels, all_pixels) if budget is not None]
        if not all(budget.can_pay(pixels, now) for budget in budgets):
            return TOO_FAST
        for budget in budgets:
            budget.left -= pixels
        self.last_s = now
        return None


@dataclass
class Places:
    """So many sources at a time. An address gets at most as many as are still free; this machine's own page any."""

    most: int
    held: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.held.total()

    def take(self, host: str) -> bool:
        key, free = network_of(host), self.most - self.count
        if free <= 0 or (not is_here(host) and self.held[key] >= max(1, free)):
            return False
        self.held[key] += 1
        return True

    def give_back(self, host: str) -> None:
        key = network_of(host)
        self.held[key] -= 1
        if self.held[key] <= 0:
            del self.held[key]


@dataclass
class Guests:
    """What all sources share."""

    bus: Bus
    site_watches: Callable[[], bool] = lambda: False
    """whether a camera of the site sends pictures now"""
    pixels: Pixels = field(default_factory=lambda: Pixels(ALL_PIXELS_PER_S))

    async def publish(self, frame: FrameCaptured) -> Refusal | None:
        """Publish a picture that its gate has let in; else why not."""
        if self.site_watches() and await self._somebody_waits():
            return BUSY
        return None if await self.bus.publish_frame(frame) else NOT_TAKEN

    async def _somebody_waits(self) -> bool:
        """Whether a picture waits to be read: then ours would make one of the site's own wait longer."""
        try:
            return bool(await self.bus.frames.xlen(self.bus.key("frames")))
        except (*REDIS_ERRORS, OSError):
            return False  # publishing will say what is wrong


def site_watches(state: SiteState) -> bool:
    """Whether a camera of the site has sent a picture lately."""
    since = utc_now() - SITE_WATCHES_S
    for (service, part), status in state.status.items():
        if service != "camera" or part is None or status.state != "online" or status.code == StatusCode.RESTING:
            continue
        view = state.cameras.get(part)
        if view is not None and view.last_frame_at is not None and view.last_frame_at > since:
            return True
    return False
