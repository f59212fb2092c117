"""Simulated visitors: arrivals, moods and picks from a seed, for whoever builds against the events.

The same seed and the same start make the same events, to the last byte. Songs are invented.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import uuid5

from moodstream.contracts.events import (
    NAMESPACE,
    Compared,
    Event,
    MoodChanged,
    Person,
    PlaybackChanged,
    Probabilities,
    RankedSong,
    Song,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
    VoiceRead,
    WordsRead,
)
from moodstream.contracts.moods import MOODS, Mood, expectation
from moodstream.contracts.status_codes import StatusCode

MODEL = "simulated"
HEARTBEAT_S = 5.0
OFFERED = 5
RANKED = 10

_FIRST = ("Harbour", "Lantern", "Saturday", "Paper", "Copper", "Northern", "Velvet", "Amber", "Hollow", "Silver")
_SECOND = ("Tram", "Marmalade", "Letter", "Kite", "Window", "Arcade", "Garden", "River", "Engine", "Parade")
_REASON = "Same drive, a little slower."
_COMPARED = (
    Compared(trait="energy", degree="alike"),
    Compared(trait="tempo", degree="little", direction="less"),
)
_ARTISTS = ("Ola Verano", "Juniper Lane", "Plum Radio", "Halla Brandt", "Bellwether", "The Sunday Drawers")

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class _Visit:
    session_id: str
    begun_s: float
    people: int


@dataclass
class Visitors:
    """Makes one visit after the other at one camera; ``speed`` 2 halves all waiting."""

    seed: int
    start: datetime
    camera_id: str = "simulated"
    speed: float = 1.0
    heard: bool = False
    """whether they write and speak, too"""

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._ears = Random(f"{self.seed}/heard")  # of its own, so that everything else stays the same
        self._made = 0
        self._now_s = 0.0

    def events(self) -> Iterator[tuple[float, Event]]:
        """(seconds after the start, event), for ever, in order."""
        camera: dict[str, Any] = {"service": "camera", "part": self.camera_id, "code": StatusCode.SIMULATED}
        yield self._at(StatusChanged(**self._new(), **camera, state="online"))
        while True:
            self._wait(self._random.uniform(1, 6))
            yield from self._visit()

    def _visit(self) -> Iterator[tuple[float, Event]]:
        visit = _Visit(self._id(), self._now_s, people=self._random.choice((1, 1, 1, 2, 3)))
        before = Mood.NOBODY
        for number in range(self._random.randint(1, 4)):
            mood = self._random.choice([one for one in (*MOODS, *MOODS, Mood.UNSURE) if one is not before])
            if self.heard and mood in MOODS and self._ears.random() < 0.7:
                yield self._at(self._heard(mood))
            since = self._moment()
            changed = self._mood(visit, mood, before, "update" if number else "start", since)
            yield self._at(changed)
            if mood in MOODS and (number == 0 or self._random.random() < 0.5):
                yield from self._songs(changed)
            for _ in range(self._random.randint(0, 2)):
                self._wait(HEARTBEAT_S)
                yield self._at(self._mood(visit, mood, mood, "update", since))
            self._wait(self._random.uniform(1, HEARTBEAT_S))
            before = mood
        yield self._at(self._mood(visit, Mood.NOBODY, before, "end", self._moment()))

    def _songs(self, mood: MoodChanged) -> Iterator[tuple[float, Event]]:
        songs = [self._song(number) for number in self._random.sample(range(100), OFFERED + RANKED)]
        offered = songs[:OFFERED]
        offer = self._follow(SongsOffered, mood, camera_id=self.camera_id, mood=mood.mood, songs=tuple(offered))
        yield self._at(offer)
        if self._random.random() < 0.2:  # not everybody picks
            return
        self._wait(self._random.uniform(1, 4))
        picked = self._random.choice(offered)
        pick = self._follow(SongPicked, offer, offer_id=offer.id, song_id=picked.id, mood=mood.mood, by="visitor")
        yield self._at(pick)
        near = sorted((round(self._random.uniform(0.4, 0.99), 3) for _ in songs[OFFERED:]), reverse=True)
        ranking = tuple(
            RankedSong(song=song, similarity=similarity, reason=_REASON, compared=_COMPARED)
            for song, similarity in zip(songs[OFFERED:], near, strict=True)
        )
        ranked = self._follow(
            SongsRanked,
            pick,
            offer_id=offer.id,
            picked=picked,
            mood=mood.mood,
            ranking=ranking,
            play=(ranking[0].song,),
        )
        yield self._at(ranked)
        playing = {"state": "playing", "output": "simulated", "song": ranking[0].song}
        yield self._at(PlaybackChanged.following(ranked, at=self._moment(), **playing))

    def _heard(self, mood: Mood) -> WordsRead | VoiceRead:
        """What somebody in this mood writes or says."""
        confidence = round(self._ears.uniform(0.4, 0.9), 3)
        rest = (1 - confidence) / 3
        shares = Probabilities(**{one.value: confidence if one is mood else rest for one in MOODS})
        valence, arousal = expectation(shares.in_order())
        same = {**self._new(), "camera_id": self.camera_id, "probabilities": shares, "valence": valence, "model": MODEL}
        if self._ears.random() < 0.5:
            return WordsRead(**same, language="en")
        speech_s, snr_db = round(self._ears.uniform(0.5, 4), 2), round(self._ears.uniform(10, 40), 1)
        return VoiceRead(**same, heard_at=self._moment(), arousal=arousal, speech_s=speech_s, snr_db=snr_db)

    def _mood(self, visit: _Visit, mood: Mood, before: Mood, phase: str, since: datetime) -> MoodChanged:
        shares, confidence = self._shares(mood)
        valence, arousal = expectation(shares.in_order()) if shares else (0.0, 0.0)
        here = 0 if mood is Mood.NOBODY else visit.people
        dwell_s = round((self._now_s - visit.begun_s) * self.speed, 3)
        values: dict[str, Any] = {
            **self._new(),
            "session_id": visit.session_id,
            "trace_id": self._id(),
            "phase": phase,
            "reason": "heartbeat" if mood is before else "change",
            "camera_id": self.camera_id,
            "mood": mood,
            "before": before,
            "confidence": confidence,
            "probabilities": shares,
            "valence": valence,
            "arousal": arousal,
            "faces": here,
            "since": since,
            "expires_at": self._moment() + MoodChanged.LIFETIME,
            "model": MODEL,
            "repeated": mood is before,
            "people": tuple(
                Person(number=number, mood=mood, confidence=confidence, dwell_s=dwell_s)
                for number in range(1, here + 1)
            ),
            "entered": visit.people,
            "left": visit.people - here,
            "dwell_s": dwell_s,
        }
        return MoodChanged(**values)

    def _shares(self, mood: Mood) -> tuple[Probabilities | None, float]:
        """Probabilities of the four moods, and the confidence of this one."""
        if mood is Mood.NOBODY:
            return None, 1.0
        if mood is Mood.UNSURE:
            return Probabilities(angry=0.22, happy=0.31, sad=0.19, calm=0.28), 0.31
        confidence = round(self._random.uniform(0.5, 0.98), 3)
        rest = (1 - confidence) / 3
        return Probabilities(**{one.value: confidence if one is mood else rest for one in MOODS}), confidence

    def _follow(self, kind: type[E], cause: Event, **fields: Any) -> E:
        assert kind.LIFETIME is not None
        now = self._moment()
        return kind.following(cause, at=now, expires_at=now + kind.LIFETIME, **fields)

    def _new(self) -> dict[str, Any]:
        return {"id": self._id(), "trace_id": self._id(), "at": self._moment()}

    def _song(self, number: int) -> Song:
        title = f"{_FIRST[number % 10]} {_SECOND[number // 10]}"
        return Song(id=f"simulated-{number}", title=title, artist=_ARTISTS[number % len(_ARTISTS)], genre="pop")

    def _id(self) -> str:
        self._made += 1
        return str(uuid5(NAMESPACE, f"simulation/{self.seed}/{self.start.isoformat()}/{self._made}"))

    def _wait(self, seconds: float) -> None:
        self._now_s += seconds / self.speed

    def _moment(self) -> datetime:
        return self.start + timedelta(seconds=self._now_s)

    def _at(self, event: Event) -> tuple[float, Event]:
        return self._now_s, event
