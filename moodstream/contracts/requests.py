"""Every question and command that a service answers: a frozen model for the request and one for its reply.

On the wire a request is a ``RequestMade`` with ``kind`` and ``body``; its reply is a ``ReplyGiven`` with ``result`` or
``error``. Both models ignore or keep what they do not know, so services upgrade one at a time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar
from uuid import uuid5

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel, ValidationError, model_validator

from moodstream.contracts.events import (
    NAMESPACE,
    Because,
    Model,
    Moment,
    PlaybackState,
    RankedSong,
    ReplyGiven,
    RequestMade,
    SignedUnit,
    Song,
    utc_now,
)
from moodstream.contracts.ids import CameraId
from moodstream.contracts.moods import Mood
from moodstream.contracts.validation import first_fault
from moodstream.errors import MoodstreamError, RequestRefused

FourMoods = Literal["angry", "happy", "sad", "calm"]
Goal = Literal["match", "lift", "calm"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
MAX_SONGS = 100
MAX_HISTORY = 200
"""Songs of a session that count."""

R = TypeVar("R", bound=BaseModel)


class Request(Model, Generic[R]):
    """The arguments of one kind of request."""

    KIND: ClassVar[str]
    """its name on the wire"""
    REPLY: ClassVar[type[Any]]
    """the model of its reply"""

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> Self:
        """Raises MoodstreamError with one line when a field is missing or wrong."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise MoodstreamError(f"{cls.KIND}: {first_fault(error)}") from None

    def made(self, wait_s: float = 1.0) -> RequestMade:
        """The event that asks; it expires when whoever asks waits no longer."""
        body, now = self.model_dump(mode="json", exclude_none=True), utc_now()
        return RequestMade(kind=self.KIND, body=body, at=now, expires_at=now + timedelta(seconds=wait_s))

    def reply_of(self, given: ReplyGiven) -> R:
        """Raises RequestRefused with the line of the service that refuses."""
        if given.error is not None:
            raise RequestRefused(given.error)
        return self.reply(given.result)

    def reply(self, result: JsonValue) -> R:
        """The reply that a result is. Raises MoodstreamError when it is none."""
        try:
            reply: R = self.REPLY.model_validate(result)
        except ValidationError as error:
            raise MoodstreamError(f"the answer to {self.KIND} cannot be read: {first_fault(error)}") from None
        return reply


class Reply(Model):
    """What a newer service adds stays, so that whoever passes a reply on loses nothing."""

    model_config = ConfigDict(extra="allow")


class SongsOfMood(Reply):
    """Songs of one mood."""

    mood: Mood
    songs: tuple[Song, ...]
    filled: tuple[Mood, ...] = ()
    """moods that songs were borrowed from, since too few of this mood may be offered"""


class OfferSongs(Request[SongsOfMood]):
    """Five songs of a mood, others each time; no event comes of it."""

    KIND = "songs.offer"
    REPLY = SongsOfMood
    mood: FourMoods


class OfferRenewed(Reply):
    """The visit has an offer that has just begun; the event ``SongsOffered`` holds it."""

    offer_id: str


class RenewOffer(Request[OfferRenewed]):
    """A visit goes on with the songs that it was offered, or with others of the same mood."""

    KIND = "songs.renew"
    REPLY = OfferRenewed
    session_id: Name
    camera_id: Name
    mood: FourMoods
    songs: Annotated[tuple[Name, ...], Field(max_length=MAX_SONGS)] = ()
    """ids of those that were offered"""
    other: bool = False
    """offer others instead"""


class SimilarSongs(Reply):
    """The songs nearest to one, best first."""

    id: str
    ranking: tuple[RankedSong, ...]


class FindSimilar(Request[SimilarSongs]):
    """The songs nearest to one."""

    KIND = "songs.similar"
    REPLY = SimilarSongs
    id: str
    """of the song in the catalogue"""
    n: Annotated[int, Field(ge=1, le=MAX_SONGS)] = 10
    """how many"""
    mood: FourMoods | None = None
    """only songs of this mood; of all when not given"""


class NextSong(Model):
    """A song that may come next."""

    song: Song
    score: float
    """above the average song of the catalogue; the parts of ``because`` and what the song has by itself sum to it"""
    because: tuple[Because, ...]
    """what each song of the history did to it, the most telling first"""


class NextSongs(Reply):
    """What comes next after some songs, best first."""

    ids: tuple[str, ...]
    ranking: tuple[NextSong, ...]


class FindNext(Request[NextSongs]):
    """What comes next after some songs that were heard."""

    KIND = "songs.next"
    REPLY = NextSongs
    ids: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_HISTORY)]
    """of songs in the catalogue, the oldest first"""
    n: Annotated[int, Field(ge=1, le=MAX_SONGS)] = 10
    """how many"""
    mood: FourMoods | None = None
    """only songs of this mood; of all when not given"""


class SongPath(Reply):
    """Songs that lead to a goal, in order."""

    id: str
    goal: Goal
    songs: tuple[Song, ...]


class FindPath(Request[SongPath]):
    """Songs that lead from the mood of one to a goal."""

    KIND = "songs.path"
    REPLY = SongPath
    id: str
    """of the song in the catalogue"""
    goal: Goal
    n: Annotated[int, Field(ge=1, le=MAX_SONGS)] = 10
    """how many"""


class MoodOfSong(Reply):
    """The mood of a song, its place on the circumplex, and how sure that is."""

    id: str
    mood: Mood
    valence: SignedUnit
    arousal: SignedUnit
    memberships: dict[str, float]
    """of the four moods; they sum to 1"""
    margin: float
    """how far the likeliest mood leads, 0 to 1"""
    song: Song | None = None
    """the song itself"""


class FindMood(Request[MoodOfSong]):
    """The mood of a song."""

    KIND = "songs.mood"
    REPLY = MoodOfSong
    id: str
    """of the song in the catalogue"""


class FoundSong(Reply):
    """A song that fits what was looked for."""

    song: Song
    mood: Mood
    exact: bool
    """whether all words were found as they were written; else it is only like them"""


class SongsFound(Reply):
    """The songs that fit best, best first."""

    text: str
    found: tuple[FoundSong, ...]


class SearchSongs(Request[SongsFound]):
    """Songs by title and artist; accents and small mistakes do not matter."""

    KIND = "songs.search"
    REPLY = SongsFound
    text: Name
    """words of the title, the artist, or both"""
    n: Annotated[int, Field(ge=1, le=MAX_SONGS)] = 10
    """how many"""


class _WhoseFeedback(Model):
    session_id: Name | None = None
    """a visit; either this or a profile is given"""
    profile: Name | None = None
    """a name under which likes are kept beyond a visit"""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.session_id is None) == (self.profile is None):
            raise ValueError("name a session_id or a profile")
        return self


class FeedbackList(Reply):
    """Everything that is kept, oldest first."""

    feedback: tuple[dict[str, JsonValue], ...]
    """kind, song_id, mood, and `at` in seconds since 1970"""


class ListFeedback(_WhoseFeedback, Request[FeedbackList]):
    """What was said in a visit or under a profile."""

    KIND = "feedback.list"
    REPLY = FeedbackList


class FeedbackCleared(Reply):
    """It is forgotten."""

    cleared: int
    """how many entries there were"""


class ClearFeedback(_WhoseFeedback, Request[FeedbackCleared]):
    """Forget what was said in a visit or under a profile."""

    KIND = "feedback.clear"
    REPLY = FeedbackCleared


class Session(Reply):
    """The visit that was begun, changed or ended."""

    session_id: str | None
    """null when nobody was there"""


class LearnedSong(Model):
    """Visits of late in which something happened to a song that was offered for a mood; older ones have faded."""

    id: str
    mood: Mood
    song: Song | None = None
    """null where the catalogue does not have it any more"""
    taken: float
    """picked or liked"""
    heard: float
    """to its end"""
    refused: float
    """skipped"""
    wrong: float
    """said not to have this mood"""
    kept_out: bool
    """it is not offered for this mood any more"""


class LearnedSongs(Reply):
    """What a site has learned from its visitors, the most disputed first."""

    learns: bool
    """whether it does"""
    songs: tuple[LearnedSong, ...]


class ListLearned(Request[LearnedSongs]):
    """What a site has learned."""

    KIND = "learned.list"
    REPLY = LearnedSongs


class LearnedForgotten(Reply):
    """It is gone."""

    forgotten: int
    """songs"""


class ForgetLearned(Request[LearnedForgotten]):
    """Forget what a site has learned, of one song or of all."""

    KIND = "learned.forget"
    REPLY = LearnedForgotten
    id: Name | None = None
    """of the song; of all when not given"""


class ChooseMood(Request[Session]):
    """A mood chosen by hand."""

    KIND = "mood.choose"
    REPLY = Session
    camera_id: CameraId
    mood: FourMoods


class EndSession(Request[Session]):
    """The visit at a camera ends and is forgotten."""

    KIND = "session.end"
    REPLY = Session
    camera_id: CameraId


class CameraPaused(Reply):
    """The camera captures nothing for a while."""

    camera_id: str


class PauseCamera(Request[CameraPaused]):
    """A camera captures nothing for a while; 0 seconds wake it."""

    KIND = "camera.pause"
    REPLY = CameraPaused
    camera_id: CameraId
    seconds: Annotated[float, Field(strict=True)]
    reason: str | None = None
    """`closed` while the site is closed; null while another camera is used"""


class CameraStatus(Reply):
    """How a camera does; never a picture, never its whole address. What else there is depends on the camera."""

    camera_id: str
    state: Literal["online", "offline", "degraded"]
    reason: str = ""
    code: str | None = None
    """why, as one word for programs: the codes of StatusChanged"""
    frames: int
    """published since it began"""


class AskCamera(Request[CameraStatus]):
    """How a camera does."""

    KIND = "camera.status"
    REPLY = CameraStatus
    camera_id: CameraId


class PlayerState(Reply):
    """What the player does now."""

    state: PlaybackState
    output: str
    song: Song | None = None
    message: str = ""
    """one sentence on what to do, where something is to be done"""
    until: Moment | None = None
    """when a state ends by itself, such as rate_limited"""
    device: str | None = None
    volume: Annotated[int | None, Field(ge=0, le=100)] = None
    """percent"""


PlayerAction = Literal["play", "queue", "next", "ended", "pause", "resume", "stop", "volume", "transfer"]


class CommandPlayer(Request[PlayerState]):
    """A command to the player."""

    KIND = "player.command"
    REPLY = PlayerState
    command: PlayerAction
    percent: Annotated[float | None, Field(ge=0, le=100, strict=True)] = None
    """of `volume`"""
    device: Name | None = None
    """of `transfer`: a name or an id"""
    song: Song | Name | None = None
    """of `play` and `queue` the song; of `ended` the id of the song that the page has played to its end"""
    session_id: Name | None = None
    """of `stop`: a visit, whose music alone ends; without it, whatever plays"""


class PlayerStatus(PlayerState):
    """What plays, what comes next, and what could not be found."""

    coming: tuple[Song, ...]
    missing: tuple[Song, ...]


class AskPlayer(Request[PlayerStatus]):
    """What plays, what comes next, and what is needed."""

    KIND = "player.status"
    REPLY = PlayerStatus


class Device(Reply):
    """One of the things that the player could play on."""

    id: str
    name: str
    active: bool


class Devices(RootModel[tuple[Device, ...]]):
    """What the player could play on."""


class ListDevices(Request[Devices]):
    """What the player could play on."""

    KIND = "player.devices"
    REPLY = Devices


SettingValue = bool | int | float | str | None


class SiteSetting(Reply):
    """A setting that operators may change, as a service has it."""

    name: str
    """as it stands in the file of the site's settings"""
    variable: str
    """of the environment, which overrules the file"""
    value: SettingValue
    """that the environment, the file or else the default says now"""
    default: SettingValue
    set_by: Literal["environment", "file", "default"]
    control: Literal["flag", "choice", "number", "text", "lines"]
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    live: bool
    """whether a change counts at once; else after the service was started again"""
    pending: bool = False
    """whether the service still runs with another value and has to be started again"""
    meaning: str


class SettingFault(Reply):
    """Why a service would not take settings."""

    name: str | None
    """of the setting that is wrong, where it is one"""
    error: str
    """one line for people"""


class SiteSettings(Reply):
    """The settings of a service that operators may change, and whether it would take those that were asked about."""

    settings: tuple[SiteSetting, ...]
    fault: SettingFault | None = None


class CheckSettings(Request[SiteSettings]):
    """What operators may set of a service, and whether it would take ``values`` instead of those in the file."""

    REPLY = SiteSettings
    values: dict[str, JsonValue] | None = None
    """by name; all that shall stand in the file for this service"""


class CheckSongSettings(CheckSettings):
    """What operators may set of the songs: which are offered, and where the music leads."""

    KIND = "songs.settings"


class CheckPlayerSettings(CheckSettings):
    """What operators may set of the player: where songs play, and how loud."""

    KIND = "player.settings"


class CheckMoodSettings(CheckSettings):
    """What operators may set of the moods: how several faces become one."""

    KIND = "mood.settings"


ImportSource = Literal["table", "folder", "sample", "remaining"]
"""``remaining``: the songs in use without those of music files; the sample where none is left"""
ImportState = Literal["none", "running", "done", "failed", "cancelled"]


class SongsImport(Reply):
    """The songs that are offered now, and the import that makes others of them, or that was the last."""

    state: ImportState
    source: ImportSource | None = None
    name: str = ""
    """of the table or folder, as people know it"""
    doing: str = ""
    """a few words on what it does now"""
    done: int | None = None
    total: int | None = None
    """files that are done, and of how many, where files are listened to"""
    error: str | None = None
    """why it failed, one line for people"""
    report: dict[str, JsonValue] | None = None
    """what became of the rows or files"""
    proposal: dict[str, JsonValue] | None = None
    """which column could be which, where a table was refused since its headings are not known"""
    begun_at: Moment | None = None
    ended_at: Moment | None = None
    songs: int
    """in the catalogue that is in use"""
    in_use: bool = True
    """whether the recommender has taken up what was imported"""
    refused: str | None = None
    """why nothing can be imported here, or the new songs are not taken up"""


class AskImport(Request[SongsImport]):
    """How the import of songs does, and how many songs there are."""

    KIND = "import.status"
    REPLY = SongsImport


class StartImport(Request[SongsImport]):
    """A table, a folder of music or the sample becomes the catalogue; the old songs stay until all is well."""

    KIND = "import.start"
    REPLY = SongsImport
    source: ImportSource
    path: Annotated[str, Field(max_length=4096)] = ""
    """of the file or folder, as the recommender sees it; empty for the others"""
    name: Annotated[str, Field(max_length=200)] = ""
    guess: bool = False
    """take what is proposed for columns of unknown names"""


class CancelImport(Request[SongsImport]):
    """The import ends; the old songs stay."""

    KIND = "import.cancel"
    REPLY = SongsImport


REQUESTS: tuple[type[Request[Any]], ...] = (
    OfferSongs,
    RenewOffer,
    FindSimilar,
    FindNext,
    FindPath,
    FindMood,
    SearchSongs,
    ListFeedback,
    ClearFeedback,
    ListLearned,
    ForgetLearned,
    ChooseMood,
    EndSession,
    PauseCamera,
    AskCamera,
    CommandPlayer,
    AskPlayer,
    ListDevices,
    CheckSongSettings,
    CheckPlayerSettings,
    CheckMoodSettings,
    AskImport,
    StartImport,
    CancelImport,
)
KINDS: Mapping[str, type[Request[Any]]] = {request.KIND: request for request in REQUESTS}


def family(kind: str) -> str:
    """``songs`` of ``songs.offer``: one service answers all kinds of a family."""
    return kind.partition(".")[0]


ANSWERED_BY: Mapping[str, str] = {
    "songs": "recommender",
    "feedback": "recommender",
    "learned": "recommender",
    "import": "recommender",
    "mood": "emotion",
    "session": "emotion",
    "camera": "camera",
    "player": "player",
}
"""The service that answers a family."""

FAMILIES = frozenset(ANSWERED_BY)


def completed(request: Any, entry_id: str, correlation_id: str | None = None) -> Any:
    """What a stranger wrote on the stream of requests, with the fields that only our own programs know to write.

    The times come from the entry's id, so that an old request stays old however late it is read.
    """
    if not isinstance(request, dict):
        return request
    at = datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)
    lifetime = RequestMade.LIFETIME or timedelta()
    id_ = correlation_id or str(uuid5(NAMESPACE, f"request/{entry_id}"))
    return {"id": id_, "at": at.isoformat(), "expires_at": (at + lifetime).isoformat(), **request}
