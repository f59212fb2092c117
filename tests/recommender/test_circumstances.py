"""Parts of the day by the clock of the site, and how much one visit teaches for another."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.recommender.choice.circumstances import UNLIKE, Circumstances

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("local", "part_of_day", "weekend"),
    [
        ("2026-11-27 05:00", "morning", False),  # a Friday
        ("2026-11-27 11:59", "morning", False),
        ("2026-11-27 12:00", "afternoon", False),
        ("2026-11-27 21:59", "evening", False),
        ("2026-11-27 22:00", "night", False),
        ("2026-11-28 04:59", "night", False),  # Friday's night
        ("2026-11-28 05:00", "morning", True),
        ("2026-11-30 04:59", "night", True),
        ("2026-11-30 05:00", "morning", False),
    ],
)
def test_a_moment_by_the_clock_of_the_site(local: str, part_of_day: str, weekend: bool) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    found = Circumstances.of(at, 1, BERLIN)
    assert (found.part_of_day, found.weekend) == (part_of_day, weekend)


def test_one_face_is_alone_and_two_are_company() -> None:
    at = datetime(2026, 11, 27, 9, tzinfo=UTC)
    assert [Circumstances.of(at, faces, UTC).company for faces in (0, 1, 2, 7)] == [False, False, True, True]


def test_a_code_gives_the_same_circumstances_again() -> None:
    every = [
        Circumstances(part, weekend, company)
        for part in ("morning", "afternoon", "evening", "night")
        for weekend in (False, True)
        for company in (False, True)
    ]
    assert [Circumstances.parse(one.code) for one in every] == every
    assert len({one.code for one in every}) == 16
    for wrong in ("", "x00", "m0", "m02", "m000"):
        with pytest.raises(ValueError, match="no circumstances"):
            Circumstances.parse(wrong)


def test_each_difference_takes_the_same_share_off() -> None:
    here = Circumstances("evening", False, True)
    assert here.likeness(here) == 1
    assert here.likeness(Circumstances("morning", False, True)) == pytest.approx(UNLIKE)
    assert here.likeness(Circumstances("morning", True, False)) == pytest.approx(UNLIKE**3)
