"""Opening hours by the clock on the wall: weeks, nights, single days, and the two days on which clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from moodstream.errors import MoodstreamError
from services.gateway.state.opening_hours import OpeningHours, parse_opening_hours
from shared.time_zones import time_zone_of

BERLIN = ZoneInfo("Europe/Berlin")


def hours(text: str) -> OpeningHours:
    parsed = parse_opening_hours(text, BERLIN)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    ("now", "is_open", "changes_at"),
    [
        ("2026-11-23T08:59:59", False, "2026-11-23T09:00:00+01:00"),
        ("2026-11-23T09:00:00", True, "2026-11-23T12:00:00+01:00"),
        ("2026-11-23T12:30:00", False, "2026-11-23T13:00:00+01:00"),
        ("2026-11-27T18:00:00", False, "2026-11-28T20:00:00+01:00"),
        ("2026-11-29T01:59:00", True, "2026-11-29T02:00:00+01:00"),
        ("2026-11-29T02:00:00", False, "2026-11-30T09:00:00+01:00"),
        ("2026-12-25T10:00:00", False, "2026-12-26T20:00:00+01:00"),
    ],
)
def test_a_week(now: str, is_open: bool, changes_at: str) -> None:
    week = hours("mo-fr 9:00-12:00 13:00-18:00; sa 20:00-02:00; 2026-12-25 closed")
    opening = week.at(datetime.fromisoformat(now).replace(tzinfo=BERLIN))
    assert opening.to_json() == {"open": is_open, "changes_at": changes_at, "by": "hours"}


def test_days_on_which_clocks_change_open_and_close_by_the_wall() -> None:
    week = hours("su 01:00-04:00")
    spring, autumn = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert week.at(spring).changes_at == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    assert week.at(autumn).open
    assert week.at(autumn).changes_at == datetime(2026, 10, 25, 3, 0, tzinfo=UTC)


def test_open_all_week_without_a_gap_never_changes() -> None:
    opening = hours("00:00-24:00").at(datetime(2026, 11, 23, 12, tzinfo=BERLIN))
    assert opening.open
    assert opening.changes_at is None


def test_the_zone_decides_and_nothing_is_said_where_nothing_is_set() -> None:
    assert parse_opening_hours("", BERLIN) is None
    tokyo = parse_opening_hours("mo-su 09:00-18:00", ZoneInfo("Asia/Tokyo"))
    assert tokyo is not None
    assert tokyo.at(datetime(2026, 11, 23, 1, tzinfo=UTC)).open
    assert not hours("mo-su 09:00-18:00").at(datetime(2026, 11, 23, 1, tzinfo=UTC)).open


@pytest.mark.parametrize(
    "text",
    [
        "mo 9-18",
        "xx 09:00-18:00",
        "mo-fr",
        "mo 25:00-26:00",
        "mo 09:00-09:00",
        "2026-02-30 closed",
        "closed",
        "mo closed",
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str) -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_OPENING_HOURS"):
        parse_opening_hours(text, BERLIN)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(MoodstreamError, match="Mars/Olympus"):
        time_zone_of("Mars/Olympus")
    assert time_zone_of("Europe/Berlin") == BERLIN
    assert time_zone_of("").utcoffset(datetime.now()) is not None
