"""The report of a day or a week: days and hours of the site's own clock, numbers alone, a table without formulas."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from moodstream.contracts.events import FeedbackGiven, Song
from moodstream.contracts.moods import Mood
from services.gateway.state.history import History
from services.gateway.state.report import FORMULA, Span, create_report, to_csv
from tests.support.scenes import mood_changed, new_session, offered, picked, playing

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 10, 19)


def visit(history: History, at: datetime, mood: Mood, seconds: int, song: Song | None = None) -> None:
    session = new_session()
    start = mood_changed(mood, session, phase="start", at=at)
    history.apply(start)
    history.apply(picked(offered(start)).model_copy(update={"at": at, "by": "visitor"}))
    if song is not None:
        history.apply(playing(song, at=at, session_id=session))
    history.apply(mood_changed(Mood.NOBODY, session, phase="end", at=at + timedelta(seconds=seconds)))


def song(title: str, artist: str = "Somebody") -> Song:
    return Song(id=f"{title}/{artist}", title=title, artist=artist, genre="pop")


@pytest.fixture
def history() -> History:
    """The week in which the clocks of Berlin go back, in the night to the 25th."""
    history = History()
    visit(history, datetime(2026, 10, 18, 21, 59, tzinfo=UTC), Mood.SAD, 10, song("Before"))  # Sunday, 23:59
    visit(history, datetime(2026, 10, 18, 22, 1, tzinfo=UTC), Mood.HAPPY, 20, song("A"))  # Monday, 00:01
    visit(history, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), Mood.CALM, 15, song("B"))  # Sunday, 02:30 summer time
    visit(history, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), Mood.CALM, 25, song("A"))  # Sunday, 02:30 again
    history.apply(FeedbackGiven(kind="like", at=datetime(2026, 10, 25, 22, 59, tzinfo=UTC)))  # Sunday, 23:59
    visit(history, datetime(2026, 10, 25, 23, 1, tzinfo=UTC), Mood.ANGRY, 20, song("After"))  # Monday, 00:01
    return history


def test_a_week_is_that_of_the_sites_own_clock(history: History) -> None:
    consents = [{"day": "2026-10-25", "given_by_touch": 2, "stopped": 1, "withdrawn": 3}]
    report = create_report(Span.around(date(2026, 10, 22), "week", BERLIN), history, consents)
    assert (report["first"], report["last"]) == ("2026-10-19", "2026-10-25")
    assert {name: report[name] for name in ("visits", "picks", "songs", "likes", "skips", "wrong_moods")} == {
        "visits": 3,
        "picks": 3,
        "songs": 3,
        "likes": 1,
        "skips": 0,
        "wrong_moods": 0,
    }
    assert (report["seen_s"], report["moods_s"]) == (60, {"calm": 40, "happy": 20})
    by_hour = {one["hour"]: (one["visits"], one["moods_s"]) for one in report["hours"] if one["visits"]}
    assert by_hour == {0: (1, {"happy": 20}), 2: (2, {"calm": 40})}
    assert [one["visits"] for one in report["days"]] == [1, 0, 0, 0, 0, 0, 2]
    assert (report["days"][6]["stopped"], report["days"][6]["withdrawn"], report["days"][0]["stopped"]) == (1, 3, 0)
    assert report["played"] == [
        {"title": "A", "artist": "Somebody", "times": 2},
        {"title": "B", "artist": "Somebody", "times": 1},
    ]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 10, 25), 25), (date(2026, 3, 29), 23), (MONDAY, 24)])
def test_a_day_has_its_own_length(day: date, hours: int) -> None:
    span = Span.around(day, "day", BERLIN)
    assert span.end - span.begin == timedelta(hours=hours)
    report = create_report(span, History(), [])
    assert (report["first"], report["last"], report["visits"], report["played"]) == (*[day.isoformat()] * 2, 0, [])


def test_the_table_says_the_same_as_the_report(history: History) -> None:
    report = create_report(Span.around(MONDAY, "week", BERLIN), history, [])
    rows = list(csv.DictReader(io.StringIO(to_csv(report))))
    found: dict[tuple[str, str, str], Any] = {(one["what"], one["when"], one["name"]): one["number"] for one in rows}
    assert len(found) == len(rows), "a number a line"
    assert found["total", "2026-10-19/2026-10-25", "visits"] == "3"
    assert found["mood by hour", "02:00", "calm"] == "40"
    assert found["visits by day", "2026-10-25", ""] == "2"
    assert found["consent", "2026-10-19", "withdrawn"] == "0"
    assert found["song", "2026-10-19/2026-10-25", "A, Somebody"] == "2"


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", " =1", "＝1", 'a"b,c\nd'])
def test_no_cell_is_a_formula(title: str) -> None:
    history = History()
    visit(history, datetime(2026, 10, 20, 12, tzinfo=UTC), Mood.SAD, 10, song(title, "=cmd"))
    text = to_csv(create_report(Span.around(MONDAY, "week", UTC), history, []))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(FORMULA)]
    assert any(cell.endswith(f"{title}, =cmd") for cell in cells), "nothing of it is lost"
