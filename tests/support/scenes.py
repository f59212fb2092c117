"""Events as the other services publish them, with invented songs."""

from datetime import timedelta
from typing import Any, Literal

from moodstream.contracts.events import (
    Compared,
    Degree,
    FaceRead,
    FacesRead,
    MoodChanged,
    PlaybackChanged,
    Probabilities,
    RankedSong,
    Song,
    SongPicked,
    SongsOffered,
    SongsRanked,
    Source,
    StatusChanged,
    TraitName,
    expiry,
    new_id,
    utc_now,
)
from moodstream.contracts.moods import COORDINATES, MOODS, Mood, expectation

MODEL = "mood_cnn 1.0"
CAMERA = "camera-1"


def near(trait: TraitName, degree: Degree = "alike") -> Compared:
    return Compared(trait=trait, degree=degree)


def far(trait: TraitName, degree: Degree, direction: Literal["more", "less"]) -> Compared:
    return Compared(trait=trait, degree=degree, direction=direction)


def song(number: int, title: str, artist: str, genre: str) -> Song:
    key = f"{number:022d}"
    place: dict[str, Any] = {
        "valence": max(-1.0, 0.9 - 0.1 * number),
        "arousal": max(-1.0, 0.8 - 0.07 * number),
        "duration_ms": 180_000 + 7_000 * number,
    }
    return Song(id=key, title=title, artist=artist, genre=genre, uri=f"spotify:track:{key}", **place)


OFFERED = (
    song(1, "Harbour at Noon", "The Paper Kites Club", "indie pop"),
    song(2, "Bright Side of the Tram", "Ola Verano", "latin"),
    song(3, "Saturday Marmalade", "Copper & Clay", "soul"),
    song(4, "Run with the Swifts", "Northern Arcade", "edm"),
    song(5, "A Letter Nobody Had to Write Because We All Knew", "Juniper Lane Brass Band", "r&b"),
)
SIMILAR = (
    song(6, "Kites over Kilve", "Ola Verano", "latin"),
    song(7, "Elevator to the Roof", "Miss Amber Tide", "pop"),
    song(8, "Lemon Street", "The Sunday Drawers", "indie pop"),
    song(9, "Half Past Summer", "Bellwether", "soul"),
    song(10, "Tin Roof Disco", "Copper & Clay", "soul"),
    song(11, "Two Left Shoes", "Plum Radio", "pop"),
    song(12, "Gold in the Gutters", "Northern Arcade", "edm"),
    song(13, "Open Windows", "Halla Brandt", "r&b"),
)
REASONS = (
    "Same tempo and groove, a little more driving.",
    "Same drive and tempo, a little brighter.",
    "Same drive, tempo and sound, and alike in all else.",
    "Nearest in groove, clearly more acoustic.",
    "Same brightness and sound, a little slower.",
    "Same tempo, much less spoken.",
    "Same groove and sound, a little gentler.",
    "Nearest in amount of speech, a little darker.",
)
COMPARED = (
    (near("tempo"), near("danceability"), far("energy", "little", "more")),
    (near("energy"), near("tempo"), far("valence", "little", "more")),
    (near("energy"), near("tempo"), near("acousticness")),
    (near("danceability", "nearest"), far("acousticness", "clear", "more")),
    (near("valence"), near("acousticness"), far("tempo", "little", "less")),
    (near("tempo"), far("speechiness", "much", "less")),
    (near("danceability"), near("acousticness"), far("energy", "little", "less")),
    (near("speechiness", "nearest"), far("valence", "little", "less")),
)


def probabilities(mood: Mood, confidence: float) -> Probabilities:
    rest = [0.5, 0.3, 0.2]
    return Probabilities(**{m.value: confidence if m is mood else (1 - confidence) * rest.pop() for m in MOODS})


def mood_changed(mood: Mood, session_id: str | None, confidence: float = 0.82, **fields: Any) -> MoodChanged:
    """A mood at the camera; ``unsure`` is a face between all four, ``nobody`` has no probabilities."""
    known = mood in COORDINATES
    if known:
        shares: Probabilities | None = probabilities(mood, confidence)
    elif mood is Mood.UNSURE:
        shares = Probabilities(angry=0.22, happy=0.31, sad=0.19, calm=0.28)
    else:
        shares = None
    valence, arousal = expectation(shares.in_order()) if shares else (0.0, 0.0)
    values: dict[str, Any] = {
        "session_id": session_id,
        "phase": "update",
        "reason": "change",
        "camera_id": CAMERA,
        "mood": mood,
        "before": Mood.NOBODY,
        "confidence": confidence if known else 0.31,
        "probabilities": shares,
        "valence": valence,
        "arousal": arousal,
        "faces": 0 if mood is Mood.NOBODY else 1,
        "since": utc_now(),
        "expires_at": expiry(MoodChanged),
        "model": MODEL,
    }
    return MoodChanged(**(values | fields))


def offered(mood: MoodChanged, **fields: Any) -> SongsOffered:
    values: dict[str, Any] = {
        "camera_id": mood.camera_id,
        "mood": mood.mood,
        "songs": OFFERED,
        "expires_at": expiry(SongsOffered),
    }
    return SongsOffered.following(mood, **(values | fields))


def picked(offer: SongsOffered, song_id: str = OFFERED[1].id) -> SongPicked:
    return SongPicked.following(
        offer, offer_id=offer.id, song_id=song_id, mood=offer.mood, by="visitor", expires_at=expiry(SongPicked)
    )


def ranked(pick: SongPicked) -> SongsRanked:
    ranking = tuple(
        RankedSong(song=song, similarity=0.97 - 0.045 * place, reason=REASONS[place], compared=COMPARED[place])
        for place, song in enumerate(SIMILAR)
    )
    chosen = next(song for song in OFFERED if song.id == pick.song_id)
    return SongsRanked.following(
        pick,
        offer_id=pick.offer_id,
        picked=chosen,
        mood=pick.mood,
        ranking=ranking,
        play=SIMILAR[:1],
        expires_at=expiry(SongsRanked),
    )


def playing(song: Song | None = SIMILAR[0], **fields: Any) -> PlaybackChanged:
    values: dict[str, Any] = {"state": "playing", "output": "browser", "song": song}
    return PlaybackChanged(**(values | fields))


def camera_online(reason: str = "drawn face", code: str = "drawn") -> StatusChanged:
    return StatusChanged(service="camera", part=CAMERA, state="online", code=code, reason=reason)


def microphone_online() -> StatusChanged:
    """That of the site, which is always heard."""
    return StatusChanged(
        service="voice", part="microphone", state="online", code="live", reason="a microphone is heard"
    )


def faces_read(camera_id: str = CAMERA, seq: int = 0) -> FacesRead:
    face = FaceRead(
        box=(210, 120, 180, 180), mood=Mood.HAPPY, confidence=0.82, probabilities=probabilities(Mood.HAPPY, 0.82)
    )
    captured_at = utc_now() - timedelta(milliseconds=40)
    given: dict[str, Any] = {"camera_id": camera_id, "run_id": "1", "seq": seq, "captured_at": captured_at}
    return FacesRead(**given, faces=(face,), model=MODEL, size=(640, 480))


def voice_heard(camera_id: str, mood: Mood, session_id: str) -> MoodChanged:
    """What the tracker makes of a sad voice, or says of it, where no face is seen."""
    shares = Probabilities(angry=0.1, happy=0.1, sad=0.6, calm=0.2)
    source = Source(kind="voice", probabilities=shares, weight=0.5)
    told: dict[str, Any] = {"faces": 0, "sources": (source,), "before": Mood.NOBODY}
    return mood_changed(mood, session_id, phase="start", camera_id=camera_id, **told)


def new_session() -> str:
    return new_id()
