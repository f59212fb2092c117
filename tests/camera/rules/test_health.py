"""The rules of the watchdog, with the time given."""

import pytest

from moodstream.contracts.status_codes import StatusCode
from services.camera.rules.health import Health, Limits, PictureStats, Verdict

GOOD = (120.0, 40.0)


class Story:
    """A camera at 10 pictures a second, and what is said of it."""

    def __init__(self, before: Verdict | None = None, digest: int | None = None, limits: Limits | None = None) -> None:
        self.now_s, self.arrived = 100.0, 0
        self.health = Health(limits or Limits(), self.now_s, before, digest)
        self.said: list[tuple[float, str, str]] = []
        self.last: Verdict | None = None

    def opened(self) -> "Story":
        self.health.started(self.now_s)
        self.health.opened(self.now_s, 10)
        return self

    def go(
        self, seconds: float, look: tuple[float, float] | None = GOOD, *, still: bool = False, rate: float = 10
    ) -> "Story":
        begun_s, end_s = self.now_s, self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            if look is not None:
                self.arrived += 1
                self.health.picture(self.now_s, PictureStats(7 if still else self.arrived + 100, *look))
                self.health.pulse(self.now_s, self.arrived)
            verdict = self.health.verdict(self.now_s, 10)
            if verdict is not None and (self.last is None or verdict.code != self.last.code):
                self.said.append((round(self.now_s - begun_s, 1), verdict.state, verdict.code))
            self.last = verdict
            self.now_s += 1 / rate
        return self

    @property
    def state(self) -> str | None:
        return self.last.state if self.last else None


def test_good_pictures_are_online_at_once() -> None:
    assert Story().opened().go(1).said == [(0.0, "online", "live")]


@pytest.mark.parametrize(
    ("look", "still", "state", "code", "cure"),
    [
        (None, False, "offline", "stalled", "restart"),
        (GOOD, True, "offline", "frozen", "restart_later"),
        ((2.0, 1.0), False, "offline", "black", "restart_later"),
        ((16.0, 0.5), False, "offline", "black", "restart_later"),
        ((70.0, 1.0), False, "degraded", "covered", ""),
    ],
)
def test_faults_are_seen_within_five_seconds_and_forgotten_with_the_first_good_picture(
    look: tuple[float, float] | None, still: bool, state: str, code: str, cure: str
) -> None:
    story = Story().opened().go(5)
    story.said.clear()
    story.go(5, look, still=still)
    [(after_s, *told)] = story.said
    assert told == [state, code]
    assert 1.5 <= after_s <= 4.0
    assert story.last is not None
    assert story.last.cure == cure
    assert story.go(0.2).state == "online"


def test_a_short_flicker_is_no_fault() -> None:
    story = Story().opened().go(3).go(1, (2.0, 1.0)).go(1).go(1.5, GOOD, still=True).go(1).go(1.5, None).go(1)
    assert [state for _, state, _ in story.said] == ["online"]


def test_a_new_process_does_not_make_an_old_fault_good() -> None:
    frozen = Verdict("offline", StatusCode.FROZEN, "the picture is frozen", "restart_later")
    story = Story(before=frozen, digest=7).opened().go(1, GOOD, still=True)
    assert story.state == "offline"
    assert story.last is not None
    assert story.last.cure == "", "the new process is given its time"
    assert story.go(3, GOOD, still=True).last == frozen
    assert story.go(0.1).state == "online"


def test_what_may_stand_still_is_not_frozen() -> None:
    assert Story(limits=Limits(frozen_s=0)).opened().go(20, GOOD, still=True).state == "online"


def test_too_slow_is_degraded_with_some_slack() -> None:
    story = Story().opened().go(6).go(8, rate=3)
    assert story.state == "degraded"
    assert story.said[-1][2] == "too_slow"
    assert story.go(6, rate=6).state == "degraded", "just above the limit is not yet well"
    assert story.go(8, rate=9).state == "online"


@pytest.mark.parametrize("rate", [0.25, 0.1, 0.5])
def test_a_camera_that_was_set_to_be_slow_is_well_at_its_rate_and_lost_without_pictures(rate: float) -> None:
    story = Story(limits=Limits.of(3.0, rate))
    story.health.started(100)
    story.health.opened(100, rate)
    assert story.go(12 / rate, rate=rate).state == "online"
    assert [state for _, state, _ in story.said] == ["online"]
    assert story.go(4 / rate, None, rate=rate).state == "offline"
    assert story.said[-1][2] == "stalled"


def test_a_camera_that_claims_less_is_not_slow() -> None:
    story = Story()
    story.health.started(100)
    story.health.opened(100, 4)
    assert story.go(8, rate=4).state == "online"


def test_too_fast_is_told() -> None:
    assert Story().opened().go(6, rate=200).said[-1][2] == "too_fast"


def test_a_process_that_does_not_start_or_open_is_ended() -> None:
    story = Story().go(16, None)
    assert story.last is not None
    assert (story.last.code, story.last.cure) == ("not_started", "restart")
    story = Story()
    story.health.started(100)
    story.go(9, None)
    assert story.last is not None
    assert (story.last.code, story.last.cure) == ("not_opened", "restart")
