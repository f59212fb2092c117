"""The operator's chart: seconds of each mood by the minute, what is counted, and that it stays small."""

from datetime import UTC, datetime, timedelta

from moodstream.contracts.events import FeedbackGiven
from moodstream.contracts.moods import Mood
from services.gateway.state.history import BUCKETS, KEPT, SONGS_KEPT, VISITS_KEPT, History
from tests.support.scenes import mood_changed, new_session, offered, picked, playing, song

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_mood_stands_until_the_next_event_and_is_split_by_minutes() -> None:
    history, session = History(), new_session()
    history.apply(mood_changed(Mood.HAPPY, session, phase="start", at=at(50)))
    history.apply(mood_changed(Mood.HAPPY, session, at=at(65), repeated=True))
    history.apply(mood_changed(Mood.NOBODY, session, phase="end", at=at(70)))
    buckets = history.to_json(1, at(120))["buckets"]
    assert [one["seconds"] for one in buckets if one["seconds"]] == [{"happy": 10.0}, {"happy": 10.0}]
    (visit,) = history.visits(10)
    assert (visit["seconds"], visit["ended_at"]) == ({"happy": 20.0}, at(70).isoformat())


def test_a_camera_that_fell_silent_does_not_stretch_its_last_mood() -> None:
    history, session = History(), new_session()
    history.apply(mood_changed(Mood.SAD, session, phase="start", at=NOON))
    history.apply(mood_changed(Mood.SAD, session, at=at(600)))
    history.apply(mood_changed(Mood.CALM, new_session(), phase="start", at=at(700)))
    assert sum(one["seconds"].get("sad", 0) for one in history.to_json(1, at(800))["buckets"]) == 30


def test_picks_songs_and_feedback_are_counted_once() -> None:
    history, mood = History(), mood_changed(Mood.HAPPY, new_session(), phase="start", at=NOON)
    history.apply(mood)
    history.apply(picked(offered(mood)).model_copy(update={"at": NOON}))
    for second in (1, 2):  # the same song, told again when the volume changes
        history.apply(playing(at=at(second), session_id=mood.session_id))
    history.apply(FeedbackGiven(kind="wrong_mood", at=NOON))
    told = history.to_json(1, at(60))
    totals = {name: sum(one.get(name, 0) for one in told["buckets"]) for name in ("visits", "picks", "songs")}
    assert totals == {"visits": 1, "picks": 1, "songs": 1}
    assert [one["mood"] for one in told["songs"]] == ["happy"]
    assert sum(one.get("wrong_moods", 0) for one in told["buckets"]) == 1
    assert history.visits(1)[0]["picks"] == 1


def test_a_month_of_visits_stays_small() -> None:
    history = History()
    for minute in range(0, 30 * 24 * 60, 7):
        session, begin = new_session(), NOON + timedelta(minutes=minute)
        history.apply(mood_changed(Mood.CALM, session, phase="start", at=begin))
        history.apply(playing(song(minute, "a", "b", "c"), at=begin))
        history.apply(mood_changed(Mood.NOBODY, session, phase="end", at=begin + timedelta(seconds=20)))
    assert len(history._minutes) <= KEPT.days * 24 * 60 / 7 + 1
    assert len(history.visits(10_000)) == VISITS_KEPT
    assert len(history._songs) == SONGS_KEPT
    assert not history._last
    for hours in (0.5, 1, 6, 24, 168):
        assert len(history.to_json(hours, NOON + timedelta(days=30))["buckets"]) <= BUCKETS
