"""A day or a week for whoever answers for the site: visits, moods by the hour, songs, consents; numbers alone. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal

from services.gateway.state.history import History, Tally

Period = Literal["day", "week"]
DAYS: Mapping[Period, int] = {"day": 1, "week": 7}
MAX_SONGS = 50
COUNTS = ("visits", "picks", "songs", "likes", "skips", "wrong_moods")
CONSENTS = (
    "given_by_touch",
    "given_by_stay",
    "declined",
    "stopped",
    "withdrawn",
    "viewed",
    "voice_given",
    "voice_declined",
    "voice_withdrawn",
)
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""How a cell begins that a spreadsheet would work out."""


@dataclass(frozen=True)
class Span:
    """Whole days of the site's own time."""

    period: Period
    first: date
    zone: tzinfo

    @classmethod
    def around(cls, day: date, period: Period, zone: tzinfo) -> "Span":
        """The day itself, or the week from Monday on in which it lies."""
        return cls(period, day - timedelta(days=day.weekday() if period == "week" else 0), zone)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(DAYS[self.period])]

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time(), self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.days[-1] + timedelta(days=1), time(), self.zone).astimezone(UTC)


def create_report(span: Span, history: History, consents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """As JSON. ``consents`` are the counts by day. Hours are those of the clock on the wall, all days together."""
    total, hours, by_day = Tally(), [Tally() for _ in range(24)], {day: Tally() for day in span.days}
    for at, tally in history.minutes(span.begin, span.end):
        local = at.astimezone(span.zone)
        for one in (total, hours[local.hour], by_day[local.date()]):
            one.add(tally)
    played = Counter(total.played).most_common(MAX_SONGS)
    by_date = {one["day"]: one for one in consents}
    return {
        "period": span.period,
        "first": span.days[0].isoformat(),
        "last": span.days[-1].isoformat(),
        "time_zone": str(span.zone),
        **{name: total.counts.get(name, 0) for name in COUNTS},
        "seen_s": round(sum(total.seconds.values())),
        "moods_s": _rounded(total),
        "hours": [
            {"hour": hour, "visits": one.counts.get("visits", 0), "moods_s": _rounded(one)}
            for hour, one in enumerate(hours)
        ],
        "days": [
            {
                "day": day.isoformat(),
                "visits": tally.counts.get("visits", 0),
                **{name: by_date.get(day.isoformat(), {}).get(name, 0) for name in CONSENTS},
            }
            for day, tally in by_day.items()
        ],
        "played": [{"title": title, "artist": artist, "times": times} for (title, artist), times in played],
    }


def to_csv(report: Mapping[str, Any]) -> str:
    """One long table, a number a line, that spreadsheets turn as one likes; no cell is a formula."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("what", "when", "name", "number", "unit"))
    for row in _rows(report):
        table.writerow([_neutral(cell) for cell in row])
    return text.getvalue()


def _rows(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str, object, str]]:
    whole = report["first"] if report["period"] == "day" else f"{report['first']}/{report['last']}"
    for name in COUNTS:
        yield "total", whole, name, report[name], "count"
    for mood, seconds in report["moods_s"].items():
        yield "mood", whole, mood, seconds, "s"
    for one in report["hours"]:
        hour = f"{one['hour']:02}:00"
        yield "visits by hour", hour, "", one["visits"], "count"
        for mood, seconds in one["moods_s"].items():
            yield "mood by hour", hour, mood, seconds, "s"
    for one in report["days"]:
        yield "visits by day", one["day"], "", one["visits"], "count"
        for name in CONSENTS:
            yield "consent", one["day"], name, one[name], "count"
    for one in report["played"]:
        yield "song", whole, f"{one['title']}, {one['artist']}", one["times"], "count"


def _neutral(cell: object) -> object:
    """What a song is called may be a formula; with an apostrophe before it, it is text."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA) else cell


def _rounded(tally: Tally) -> dict[str, int]:
    return {mood: round(seconds) for mood, seconds in sorted(tally.seconds.items())}
