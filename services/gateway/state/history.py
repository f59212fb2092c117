"""What happened in the last days, for the operator's chart: how long each mood lasted, visits, picks, songs. Pure.

Counted by the minute, and nothing of a visitor is in it.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from moodstream.contracts.events import Event, FeedbackGiven, MoodChanged, PlaybackChanged, SongPicked
from moodstream.contracts.moods import Mood
from shared.bounded import Bounded

KEPT = timedelta(days=15)
"""So that on any day the week before can still be reported."""
VISITS_KEPT = 200
SONGS_KEPT = 500
BUCKETS = 96
Count = Literal["visits", "picks", "songs", "likes", "skips", "wrong_moods"]
_OF_FEEDBACK: dict[str, Count] = {"like": "likes", "skip": "skips", "wrong_mood": "wrong_moods"}


@dataclass
class Tally:
    """A minute, or many of them together."""

    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    played: dict[tuple[str, str], int] = field(default_factory=dict)
    """how often, by title and artist"""

    def count(self, what: Count) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def add(self, other: "Tally") -> None:
        for mood, seconds in other.seconds.items():
            self.seconds[mood] = self.seconds.get(mood, 0.0) + seconds
        for what, count in other.counts.items():
            self.counts[what] = self.counts.get(what, 0) + count
        for song, times in other.played.items():
            self.played[song] = self.played.get(song, 0) + times


@dataclass
class Visit:
    """One that is going on or over."""

    session_id: str
    camera_id: str
    began_at: datetime
    ended_at: datetime | None = None
    tally: Tally = field(default_factory=Tally)

    def to_json(self) -> dict[str, Any]:
        return {
            "session_id": self.session_id,
            "camera_id": self.camera_id,
            "began_at": self.began_at.isoformat(),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
            "seconds": {mood: round(seconds, 1) for mood, seconds in self.tally.seconds.items()},
            "picks": self.tally.counts.get("picks", 0),
        }


class History:
    """Takes in events in the order of their streams."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[int, Tally] = OrderedDict()
        self._last: dict[str, MoodChanged] = {}
        self._visits: Bounded[str, Visit] = Bounded(VISITS_KEPT)
        self._songs: deque[dict[str, Any]] = deque(maxlen=SONGS_KEPT)

    def apply(self, event: Event) -> None:
        match event:
            case MoodChanged():
                self._mood_changed(event)
            case SongPicked(by="visitor"):
                self._minute(event.at).count("picks")
                if visit := self._visits.get(event.session_id or ""):
                    visit.tally.count("picks")
            case PlaybackChanged(state="playing") if event.song is not None:
                self._song_played(event)
            case FeedbackGiven():
                self._minute(event.at).count(_OF_FEEDBACK[event.kind])

    def visits(self, count: int) -> list[dict[str, Any]]:
        """The newest first."""
        return [visit.to_json() for visit in list(reversed(self._visits.values()))[:count]]

    def minutes(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, Tally]]:
        """Those in which something happened, with when they begin."""
        for minute, tally in self._minutes.items():
            if begin.timestamp() <= 60 * minute < end.timestamp():
                yield datetime.fromtimestamp(60 * minute, UTC), tally

    def to_json(self, hours: float, now: datetime) -> dict[str, Any]:
        """The last hours in at most ``BUCKETS`` equal parts, oldest first, and the songs, newest first."""
        width_s = max(60, round(hours * 3600 / BUCKETS / 60) * 60)
        end = int(now.timestamp()) // width_s * width_s + width_s
        begin = end - int(hours * 3600) // width_s * width_s
        since = datetime.fromtimestamp(begin, UTC)
        buckets = [Tally() for _ in range(begin, end, width_s)]
        for minute, tally in self._minutes.items():
            if begin <= 60 * minute < end:
                buckets[(60 * minute - begin) // width_s].add(tally)
        return {
            "from": since.isoformat(),
            "width_s": width_s,
            "buckets": [{"seconds": _rounded(one.seconds), **one.counts} for one in buckets],
            "songs": [
                song for song in reversed(self._songs) if datetime.fromisoformat(song["at"]).timestamp() >= begin
            ],
        }

    def _mood_changed(self, event: MoodChanged) -> None:
        visit = self._visit(event)
        last = self._last.get(event.camera_id)
        if last is not None and last.session_id == event.session_id and last.phase != "end":
            for minute, seconds in _minutes_between(last.at, min(event.at, last.at + MoodChanged.LIFETIME)):
                for tally in (self._minute(minute), visit.tally):
                    tally.seconds[last.mood] = tally.seconds.get(last.mood, 0.0) + seconds
        self._last[event.camera_id] = event
        if event.phase == "end":
            visit.ended_at = event.at
            del self._last[event.camera_id]  # the cameras of browsers never come back

    def _visit(self, event: MoodChanged) -> Visit:
        key = event.session_id or ""
        if key not in self._visits:
            self._visits[key] = Visit(key, event.camera_id, event.at)
            self._minute(event.at).count("visits")
        return self._visits[key]

    def _song_played(self, event: PlaybackChanged) -> None:
        assert event.song is not None
        if self._songs and self._songs[-1]["id"] == event.song.id:
            return
        minute = self._minute(event.at)
        minute.count("songs")
        named = event.song.title, event.song.artist
        minute.played[named] = minute.played.get(named, 0) + 1
        mood = next((last.mood for last in self._last.values() if last.session_id == event.session_id), None)
        song = event.song
        self._songs.append(
            {"id": song.id, "title": song.title, "artist": song.artist, "at": event.at.isoformat(), "mood": mood}
        )

    def _minute(self, at: datetime) -> Tally:
        number = int(at.timestamp()) // 60
        if number not in self._minutes:
            self._minutes[number] = Tally()
            oldest = number - int(KEPT.total_seconds()) // 60
            while next(iter(self._minutes)) < oldest:
                self._minutes.popitem(last=False)
        return self._minutes[number]


def _minutes_between(begin: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """A time cut at the full minutes, as (begin, seconds)."""
    while begin < end:
        next_minute = begin.replace(second=0, microsecond=0) + timedelta(minutes=1)
        until = min(end, next_minute)
        yield begin, (until - begin).total_seconds()
        begin = until


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {str(Mood(mood)): round(value, 1) for mood, value in seconds.items()}
