"""Every event of Moodstream, as frozen models; they are facts, told in the past tense.

Fields are only ever added, and consumers ignore those they do not know, so services upgrade one at a time.
An event that follows from another is made with ``Event.following``: its id is uuid5(cause id, type), so that
handling the same cause twice makes the same event, which consumers know again.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from moodstream.contracts.attribute_docs import Documented
from moodstream.contracts.ids import CameraId
from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.status_codes import StatusCode

Probability = Annotated[float, Field(ge=0, le=1)]
SignedUnit = Annotated[float, Field(ge=-1, le=1)]

NAMESPACE = uuid5(NAMESPACE_URL, "https://moodstream.invalid/events")
"""Root of ids that follow from no other event."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid4())


def uuid_of(id_: str) -> UUID:
    """Parse an id as a UUID; derive one from any other text, since anybody may have written it."""
    try:
        return UUID(id_)
    except ValueError:
        return uuid5(NAMESPACE, id_)


def _moment(given: datetime) -> datetime:
    """Aware, and far from the ends of the calendar: whoever adds seconds to it must not fall off."""
    aware = given if given.tzinfo else given.replace(tzinfo=UTC)
    if not 2000 <= aware.year < 3000:
        raise ValueError("must be between the years 2000 and 3000")
    return aware


Moment = Annotated[datetime, AfterValidator(_moment)]


class Model(Documented):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        cache_strings="keys",
        allow_inf_nan=False,  # no JSON
    )


class Event(Model):
    """What all events have."""

    id: str = Field(default_factory=new_id)
    """UUID; the same for the same fact"""
    type: str
    """name of the event"""
    schema_version: int = 1
    """of this type of event; 1 as long as fields are only added"""
    at: Moment = Field(default_factory=utc_now)
    """when it was published, UTC"""
    session_id: str | None = None
    """random id of the visit that it belongs to"""
    trace_id: str = Field(default_factory=new_id)
    """the same for all that follows from one frame or command"""

    LIFETIME: ClassVar[timedelta | None] = None
    """How long it asks for an action; None for events that ask for none."""

    @classmethod
    def following(cls, cause: "Event", **fields: Any) -> Self:
        """The event of this class that follows from ``cause``: its id, session, trace and expiry are derived."""
        derived: dict[str, Any] = {
            "id": str(uuid5(uuid_of(cause.id), cls.__name__)),
            "session_id": cause.session_id,
            "trace_id": cause.trace_id,
        }
        return cls(**(derived | fields))


class Asking(Event):
    """An event that asks for an action: consumers drop it once it has expired."""

    expires_at: Moment
    """after this moment nobody acts on it"""


def expiry(cls: type[Event], now: datetime | None = None) -> datetime:
    """The moment at which an event of this class, published now, expires."""
    if cls.LIFETIME is None:
        raise TypeError(f"{cls.__name__} never expires")
    return (now or utc_now()) + cls.LIFETIME


class Captured(Model):
    """What a camera or a microphone has taken, on its way to whoever reads it; it is written to no disk.

    The field ``BODY`` is the body of the message, the rest are its headers.
    """

    KIND: ClassVar[str]
    """in its id and in what is logged of it"""
    BODY: ClassVar[str]
    """name of the field with the bytes"""

    camera_id: CameraId
    run_id: str
    """new at each start of a camera; increases from run to run"""
    seq: int
    """counts within a run, from 0"""
    captured_at: Moment

    @property
    def body(self) -> bytes:
        """The bytes of the picture or sound."""
        body: bytes = getattr(self, self.BODY)
        return body

    @property
    def id(self) -> str:
        """The same wherever it is asked for."""
        return str(uuid5(NAMESPACE, f"{self.KIND}/{self.camera_id}/{self.run_id}/{self.seq}"))

    @property
    def trace_id(self) -> str:
        """It begins a trace."""
        return self.id


class FrameCaptured(Captured):
    """A picture from a camera."""

    KIND = "frame"
    BODY = "jpeg"

    jpeg: bytes = Field(repr=False)


class SoundCaptured(Captured):
    """A short sound from a microphone, in which somebody may speak; ``captured_at`` is when it ended."""

    KIND = "sound"
    BODY = "sound"

    sound: bytes = Field(repr=False)
    """a whole file of WAV, FLAC or Ogg"""


class Probabilities(Model):
    """Calibrated probabilities of the four moods; they sum to 1."""

    angry: Probability
    happy: Probability
    sad: Probability
    calm: Probability

    def in_order(self) -> tuple[float, float, float, float]:
        """In the order of ``moodstream.contracts.moods.MOODS``."""
        return self.angry, self.happy, self.sad, self.calm


class FaceRead(Model):
    """One face of a frame."""

    box: tuple[int, int, int, int]
    """x, y, width, height in pixels of the frame"""
    mood: Mood
    """the likeliest of the four"""
    confidence: Probability
    """probability of that mood"""
    probabilities: Probabilities
    refused: str | None = None
    """why the face was seen but not read; None for a face that was"""
    tilt_deg: int = 0
    """the turn of the picture, anticlockwise, that sets the face upright"""


class FacesRead(Event):
    """The faces of one frame were read; one event per frame."""

    type: Literal["FacesRead"] = "FacesRead"
    camera_id: CameraId
    """which camera"""
    run_id: str
    """new at each start of the camera"""
    seq: int
    """counts the frames of a run, from 0"""
    captured_at: Moment
    """when the picture was taken, UTC"""
    faces: tuple[FaceRead, ...]
    """every face that was seen, those that could not be read too"""
    model: str
    """name and version of the mood model"""
    error: str | None = None
    """why the frame was refused; then there are no faces"""
    size: tuple[int, int] | None = None
    """width and height of the frame in pixels"""
    search: Literal["near", "glance", "whole"] | None = None
    """how the faces were looked for: around the last ones, coarsely everywhere, finely everywhere"""
    took_ms: float | None = None
    """time that the reading took, decoding included"""


class WordsRead(Event):
    """A text that somebody wrote was read; the text itself is in no event."""

    type: Literal["WordsRead"] = "WordsRead"
    camera_id: CameraId
    """of the place where it was written"""
    probabilities: Probabilities | None
    """of the four moods; null where the text tells none"""
    valence: SignedUnit | None
    """from unpleasant to pleasant"""
    language: str | None = None
    """the likeliest, a code of two letters"""
    model: str
    """name and version of the model of words"""


class VoiceRead(Event):
    """Some speech was read; the sound itself is in no event."""

    type: Literal["VoiceRead"] = "VoiceRead"
    camera_id: CameraId
    """of the place where it was heard"""
    heard_at: Moment
    """when the speech ended, UTC"""
    probabilities: Probabilities | None
    """of the four moods; null where there was no speech, too much noise, or no mood to be heard"""
    arousal: SignedUnit | None
    """from quiet to excited"""
    valence: SignedUnit | None
    """from unpleasant to pleasant; a voice hardly tells it"""
    speech_s: Annotated[float, Field(ge=0)]
    """seconds of speech"""
    snr_db: float | None = None
    """of the speech to what is heard between, decibels; null where nothing is between"""
    model: str
    """name and version of the model of voices"""


SpokenCommand = Literal[
    "angry",
    "happy",
    "sad",
    "calm",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "stop",
    "pause",
    "resume",
    "louder",
    "quieter",
    "next",
    "other",
]
"""Songs of a mood, one of the songs on the screen, the end of the visit, the player, other songs of the same mood."""


class CommandHeard(Event):
    """A visitor said what the page shall do; the page carries it out, where somebody has agreed to be heard."""

    type: Literal["CommandHeard"] = "CommandHeard"
    camera_id: CameraId
    """of the place where it was said"""
    heard_at: Moment
    """when the speech ended, UTC; a command of seconds ago is not carried out"""
    command: SpokenCommand | str
    """what was understood, as one word for programs; others may be added"""


SourceKind = Literal["face", "voice", "words"]


class Source(Model):
    """What one source says about the mood, where there are several."""

    kind: SourceKind | str
    """others may be added"""
    probabilities: Probabilities
    """of the four moods, as this source alone tells them"""
    weight: Annotated[float, Field(ge=0)]
    """how much it counts now"""
    age_s: Annotated[float, Field(ge=0)] = 0.0
    """how long ago it was heard; 0 for a face that is seen now"""

    @property
    def mood(self) -> Mood:
        """The likeliest of the four."""
        return max(zip(self.probabilities.in_order(), MOODS, strict=True))[1]


class Person(Model):
    """One of the people before a camera, for as long as the face can be followed."""

    number: int
    """counts the people of a session; says nothing about who it is"""
    mood: Mood
    """apparent mood of this one"""
    confidence: Probability
    """smoothed probability of that mood now; of the likeliest of the four while it is unsure"""
    dwell_s: float
    """how long the face has been there"""


class MoodChanged(Event):
    """The apparent mood at a camera: the first of a session, a change, a heartbeat, or the end of the session."""

    type: Literal["MoodChanged"] = "MoodChanged"
    phase: Literal["start", "update", "end"]
    """of the session: its first event, one in between, its last"""
    reason: Literal["change", "heartbeat", "forced"]
    """another mood, nothing new, or chosen by hand"""
    camera_id: CameraId
    """which camera"""
    mood: Mood
    """apparent mood now; unsure and nobody are moods, too"""
    before: Mood
    """mood until now"""
    confidence: Probability
    """smoothed probability of this mood now, also while another leads for a moment; of the likeliest while unsure"""
    probabilities: Probabilities | None
    """of the four moods; null for nobody"""
    valence: SignedUnit
    """place on Russell's circumplex: from unpleasant to pleasant"""
    arousal: SignedUnit
    """place on Russell's circumplex: from quiet to excited"""
    faces: int
    """how many are seen"""
    policy: Literal["largest", "average", "majority"] = "largest"
    """how several faces became one mood"""
    since: Moment
    """when this mood began"""
    expires_at: Moment
    """the next event is due before this moment"""
    model: str
    """name and version of the mood model, or `simulated`"""
    repeated: bool = False
    """whether this mood has been told before; then only the time, the counts or the confidence are new"""
    people: tuple[Person, ...] = ()
    """those whose faces are followed now, the one seen longest first"""
    entered: int = 0
    """people who have come since the session began"""
    left: int = 0
    """people who have gone since the session began"""
    dwell_s: float = 0.0
    """how long somebody has been there, by the camera's clock"""
    sources: tuple[Source, ...] = ()
    """what each said, where a voice or words count beside the face or without one; empty where the face alone does"""

    LIFETIME = timedelta(seconds=30)


class Song(Model):
    """What is needed to show a song and to play it."""

    id: str
    """in the catalogue"""
    title: str
    artist: str
    genre: str | None = None
    uri: str | None = None
    """where an output finds it, for example spotify:track:..."""
    valence: SignedUnit | None = None
    """its place on the circumplex: unpleasant to pleasant, -1 to 1; null when unknown"""
    arousal: SignedUnit | None = None
    """its place on the circumplex: quiet to excited, -1 to 1; null when unknown"""
    duration_ms: Annotated[int, Field(ge=0)] | None = None
    """how long it plays, milliseconds; null when unknown"""

    @property
    def name(self) -> str:
        """Title and artist in one line; the title alone where the artist is not known."""
        return f"{self.title} - {self.artist}" if self.artist else self.title


class SongsOffered(Asking):
    """Songs of a mood were offered to the visitor."""

    type: Literal["SongsOffered"] = "SongsOffered"
    camera_id: CameraId | None = None
    """which camera; null where a mood was chosen without one"""
    mood: Mood
    songs: tuple[Song, ...]
    filled: tuple[Mood, ...] = ()
    """moods that songs were borrowed from, since too few of this mood may be offered; empty for an offer of one mood"""

    LIFETIME = timedelta(seconds=90)


class SongPicked(Asking):
    """One of the offered songs was picked."""

    type: Literal["SongPicked"] = "SongPicked"
    offer_id: str
    """id of the SongsOffered"""
    song_id: str
    """one of its songs"""
    mood: Mood
    """mood of the offer"""
    by: Literal["visitor", "auto"]
    """a visitor, or the recommender by itself"""

    LIFETIME = timedelta(seconds=60)


TraitName = Literal["energy", "tempo", "valence", "danceability", "acousticness", "speechiness"]
"""What people hear of a song; the names are those of the catalogue's columns."""

Degree = Literal["alike", "nearest", "little", "clear", "much"]
"""How far apart two songs are in a trait; ``nearest`` where they differ, but less than in any other."""


class Compared(Model):
    """How a ranked song stands to the picked one in one trait."""

    trait: TraitName | str
    """what is compared; others may be added"""
    degree: Degree | str
    """alike, the nearest where nothing is alike, or how great the difference is; others may be added"""
    direction: Literal["more", "less"] | None = None
    """whether the ranked song has more or less of it; null where it is alike or nearest"""


class Because(Model):
    """What one thing that happened in the visit did to a song."""

    song: Song
    """that it happened to"""
    kind: Literal["picked", "liked", "heard", "skipped", "wrong_mood"]
    weight: float
    """what it added to the song's score, or took off it"""


class RankedSong(Model):
    song: Song
    similarity: Probability
    """to the picked song; 1 is the same"""
    reason: str
    """one plain sentence of why, in English"""
    compared: tuple[Compared, ...] = ()
    """what that sentence says, for programs and other languages; empty in older recordings"""
    because: tuple[Because, ...] = ()
    """what happened earlier in the visit and moved this song, the most telling first; empty after a first pick"""


class SongsRanked(Asking):
    """Songs were ranked by similarity to the picked one."""

    type: Literal["SongsRanked"] = "SongsRanked"
    offer_id: str
    """id of the SongsOffered that was picked from"""
    picked: Song
    mood: Mood
    ranking: tuple[RankedSong, ...]
    """best first, without the picked song"""
    play: tuple[Song, ...]
    """what shall play, in order"""
    goal: Literal["match", "lift", "calm"] = "match"
    """where the songs to play lead: they stay with the mood, lift it or calm it"""
    by: Literal["visitor", "auto"] = "visitor"
    """who picked"""

    LIFETIME = timedelta(seconds=60)


class FeedbackGiven(Event):
    """The visitor said something about a song or a mood."""

    type: Literal["FeedbackGiven"] = "FeedbackGiven"
    kind: Literal["like", "skip", "wrong_mood"]
    """what was said: about the song, or about the mood"""
    song_id: str | None = None
    mood: Mood | None = None
    profile: str | None = None
    """a name under which likes are kept beyond the session, where somebody chose one"""


PlaybackState = Literal[
    "ready",
    "playing",
    "paused",
    "signed_out",
    "needs_reauthorization",
    "no_device",
    "rate_limited",
    "quota_exceeded",
    "premium_required",
    "unavailable",
]


class PlaybackChanged(Event):
    """What the player does now, and what it needs."""

    type: Literal["PlaybackChanged"] = "PlaybackChanged"
    state: PlaybackState
    output: str
    """name of the output: browser, house, log, mpd, spotify"""
    song: Song | None = None
    message: str = ""
    """one sentence on what to do, where something is to be done"""
    until: Moment | None = None
    """when a state ends by itself, such as rate_limited"""
    device: str | None = None
    """name of what it plays on, where that is known"""
    volume: Annotated[int, Field(ge=0, le=100)] | None = None
    """percent, where it was set or is known"""
    sound: Literal["recording", "made"] | None = None
    """where the page plays: the song's own recording, or music that is made for the mood because the recording is not
    here; the gateway, which has the files, adds it for pages, and in Redis it is null"""


class StatusChanged(Event):
    """A service, or a part of one, came up, went away or works less well."""

    type: Literal["StatusChanged"] = "StatusChanged"
    service: str
    """camera, emotion, voice, recommender, player, gateway or bridge"""
    part: str | None = None
    """for example the id of a camera"""
    state: Literal["online", "offline", "degraded"]
    """how it works now"""
    reason: str = ""
    """one sentence of why, for people"""
    code: StatusCode | str | None = None
    """why as one word, for programs to compare; null in older recordings, and others may be added"""


class RequestMade(Asking):
    """A question or a command to whichever service serves its kind."""

    type: Literal["RequestMade"] = "RequestMade"
    kind: str
    """for example songs.similar"""
    body: dict[str, JsonValue] = {}
    """arguments of that kind"""

    LIFETIME = timedelta(seconds=1)


class ReplyGiven(Event):
    """The answer to a request."""

    type: Literal["ReplyGiven"] = "ReplyGiven"
    request_id: str
    """id of the RequestMade"""
    result: JsonValue = None
    """what was asked for"""
    error: str | None = None
    """one line, when the request could not be served"""


EVENTS: tuple[type[Event], ...] = (
    FacesRead,
    WordsRead,
    VoiceRead,
    CommandHeard,
    MoodChanged,
    SongsOffered,
    SongPicked,
    SongsRanked,
    FeedbackGiven,
    PlaybackChanged,
    StatusChanged,
    RequestMade,
    ReplyGiven,
)
