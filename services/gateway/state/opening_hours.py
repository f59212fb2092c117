"""When the site is open: hours of the week in the site's own time, single days on which it stays closed. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from pydantic import JsonValue

from moodstream.errors import SettingError

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
SEARCH_DAYS = 8
_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MIDNIGHT = 24 * 60


@dataclass(frozen=True)
class Opening:
    """Whether the site is open."""

    open: bool
    changes_at: datetime | None = None
    """in the site's own time; None where no change is due"""
    by: Literal["hours", "operator"] = "hours"

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "open": self.open,
            "changes_at": self.changes_at.isoformat() if self.changes_at else None,
            "by": self.by,
        }


ALWAYS = Opening(True)


@dataclass(frozen=True)
class OpeningHours:
    """Spans in minutes of a day, by weekday from Monday; one that ends after midnight runs into the next day."""

    spans: tuple[tuple[tuple[int, int], ...], ...]
    closed: frozenset[date]
    zone: tzinfo

    def at(self, now: datetime) -> Opening:
        """``now`` with any time zone. Days on which clocks change have their own lengths."""
        local = now.astimezone(self.zone)
        is_open = any(begin <= local < end for begin, end in self._spans_near(local))
        changes = (
            change.astimezone(self.zone)
            for span in self._spans_near(local)
            for change in span
            if change > local and self._is_open(change) != is_open
        )
        return Opening(is_open, min(changes, default=None))

    def _is_open(self, at: datetime) -> bool:
        return any(begin <= at < end for begin, end in self._spans_near(at))

    def _spans_near(self, local: datetime) -> Iterator[tuple[datetime, datetime]]:
        for offset in range(-1, SEARCH_DAYS):
            day = local.date() + timedelta(days=offset)
            if day not in self.closed:
                for begin, end in self.spans[day.weekday()]:
                    yield self._moment(day, begin), self._moment(day, end)

    def _moment(self, day: date, minutes: int) -> datetime:
        """In UTC: moments of one zone are compared by the clock on the wall, which shows an hour twice in autumn."""
        days, rest = divmod(minutes, _MIDNIGHT)
        wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), self.zone)
        return wall.astimezone(UTC)


def parse_opening_hours(text: str, zone: tzinfo) -> OpeningHours | None:
    """``mo-fr 09:00-12:00 13:00-18:00; sa su 10:00-02:00; 2026-12-25 closed``, or nothing. Raises SettingError."""
    if not text.strip():
        return None
    week: list[tuple[tuple[int, int], ...]] = [()] * 7
    closed = set()
    for rule in filter(None, (part.strip().lower() for part in text.split(";"))):
        words = rule.replace(",", " ").split()
        hours = [word for word in words if _HOURS.fullmatch(word)]
        if hours:
            named = words[: len(words) - len(hours)]
            for day in _days(named, rule) if named else range(7):
                week[day] = tuple(_span(word, rule) for word in hours)
        elif words[-1] == "closed" and len(words) > 1:
            closed |= {_date(word, rule) for word in words[:-1] if _DATE.fullmatch(word)}
            for day in _days([word for word in words[:-1] if not _DATE.fullmatch(word)], rule):
                week[day] = ()
        else:
            raise _wrong(rule)
    if not any(week):
        raise SettingError("MOODSTREAM_OPENING_HOURS", "on no day of the week is it open")
    return OpeningHours(tuple(week), frozenset(closed), zone)


def _days(words: list[str], rule: str) -> list[int]:
    found = []
    for word in words:
        first, dash, last = word.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise _wrong(rule)
        begin, end = DAYS.index(first), DAYS.index(last if dash else first)
        found += [day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)]
    return found


def _span(text: str, rule: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    assert found is not None
    begin_h, begin_m, end_h, end_m = (int(part) for part in found.groups())
    begin, end = 60 * begin_h + begin_m, 60 * end_h + end_m
    if begin >= _MIDNIGHT or end > _MIDNIGHT or begin == end:
        raise _wrong(rule)
    return begin, end if end > begin else end + _MIDNIGHT


def _date(text: str, rule: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _wrong(rule) from None


def _wrong(rule: str) -> SettingError:
    form = "'mo-fr 09:00-18:00; sa 10:00-14:00; 2026-12-25 closed'"
    return SettingError("MOODSTREAM_OPENING_HOURS", f"{rule!r} is not of the form {form}")
