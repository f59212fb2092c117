"""Requests and answers of the API as models: they validate what comes in, and OpenAPI is made of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, model_validator

from moodstream.contracts.attribute_docs import Documented
from moodstream.contracts.events import MoodChanged, Probabilities, RankedSong, SignedUnit, Song
from moodstream.contracts.ids import CAMERA_ID, PROFILE
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import FourMoods, NextSong, PlayerAction
from services.gateway.state.kiosk import Kiosk
from shared.words.features import MAX_CHARACTERS

ShortText = Annotated[str, Field(min_length=1, max_length=200)]
CameraName = Annotated[str, Field(pattern=CAMERA_ID)]
ProfileName = Annotated[str, Field(pattern=PROFILE)]


class Body(Documented):
    """Bodies are small and exact: an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Pick(Body):
    offer_id: ShortText
    song_id: ShortText


class ChosenMood(Body):
    mood: FourMoods
    camera_id: CameraName | None = None


class WrittenWords(Body):
    text: Annotated[str, Field(max_length=MAX_CHARACTERS)]
    """how somebody feels, in their own words; read and forgotten"""
    camera_id: CameraName | None = None


class WantedOffer(Body):
    mood: FourMoods
    """that the page shows"""
    camera_id: CameraName | None = None
    other: bool = False
    """others than those that are offered now"""


class EndSessionBody(Body):
    camera_id: CameraName | None = None
    session_id: ShortText | None = None
    """of the visit whose music shall end, too; also one that is over already"""


class Feedback(Body):
    kind: Literal["like", "skip", "wrong_mood"]
    song_id: ShortText | None = None
    mood: FourMoods | None = None
    camera_id: CameraName | None = None
    profile: ProfileName | None = None


def _with(actions: Sequence[str], field: str, kind: str, otherwise: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema: these actions need that field."""
    return {
        "if": {"properties": {"command": {"enum": list(actions)}}},
        "then": {"required": [field], "properties": {field: {"type": kind}}},
        "else": dict(otherwise),
    }


_NEEDED = _with(
    ("play", "queue"),
    "song",
    "string",
    _with(("volume",), "percent", "number", _with(("transfer",), "device", "string", {})),
)


class PlayerCommand(Body):
    model_config = ConfigDict(json_schema_extra=_NEEDED)

    command: PlayerAction
    percent: Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)] | None = None
    device: ShortText | None = None
    song: ShortText | None = None
    """of `play` and `queue`: the id of a song of the catalogue; of `ended`: of the song that the page has played"""


class CommandTaken(Body):
    id: ShortText
    """of a `CommandHeard`"""


class Consent(Body):
    choice: Literal["given", "declined", "stopped", "withdrawn"]
    """stopped: the visitor ended a visit that had music already, or in which the mood was chosen by hand"""
    by: Literal["touch", "stay"] = "touch"
    to: Literal["camera", "voice"] = "camera"
    """what is agreed to: that a camera reads the mood, or that the page's microphone hears the voice; a voice is never
    `stopped`"""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.to == "voice" and (self.choice == "stopped" or self.by == "stay"):
            raise ValueError("a voice is given by touch, declined or withdrawn")
        return self


class SetOpening(Body):
    open: StrictBool | None
    """true or false until the next change of the hours; null goes by the hours again"""


class StartView(Body):
    camera_id: CameraName


class WordsResult(Documented):
    """What a text tells; without the text."""

    id: str
    """of the event ``WordsRead``"""
    camera_id: str
    probabilities: Probabilities | None
    """of the four moods; null where the text tells none"""
    valence: SignedUnit | None
    """from unpleasant to pleasant"""
    language: str | None
    """the likeliest, a code of two letters"""
    model: str


class Answer(Documented):
    """What the API answers."""


class Problem(Answer):
    error: str
    """one line for people"""


class Published(Answer):
    id: str
    """of the event that was published"""


class Result(Answer):
    result: Any
    """what the service that was asked has answered"""


class Offer(Answer):
    mood: Mood
    songs: list[Song]
    filled: list[Mood]
    """moods that songs were borrowed from"""


class OfferResult(Answer):
    result: Offer


class Similar(Answer):
    id: str
    ranking: list[RankedSong]


class SimilarResult(Answer):
    result: Similar


class Next(Answer):
    ids: list[str]
    ranking: list[NextSong]


class NextResult(Answer):
    result: Next


class Found(Answer):
    song: Song
    mood: Mood
    exact: bool
    """whether all words were found as they were written"""


class Search(Answer):
    text: str
    found: list[Found]


class SearchResult(Answer):
    result: Search


class SiteStateBody(Answer):
    opening: "OpeningState"
    kiosk: Kiosk
    camera_id: str
    """of the settings"""
    browser_camera: bool
    cameras: dict[str, Any]
    """by id: mood, offer, picked, ranking, frames, last_frame_at"""
    playback: dict[str, Any] | None
    volume_before_mute: int | None
    """the last volume that was not silence, percent"""
    status: list[dict[str, Any]]
    view: "ViewState | None"
    """set while an operator looks through a camera; every page that a visitor sees has to say so"""
    now: datetime


class ViewState(Answer):
    camera_id: str
    preview: Literal["outline", "picture", "off"]
    """whether the operator sees an outline without detail, or the picture"""
    until: datetime


class OpeningState(Answer):
    open: bool
    changes_at: datetime | None
    by: Literal["hours", "operator"]


class MoodsNow(Answer):
    moods: dict[str, MoodChanged]
    """the newest of each camera that has published one, by camera"""


class MoodsPast(Answer):
    moods: list[MoodChanged]
    """newest first"""
    before: str | None
    """give it as `before` to read on; null at the end"""


class Visit(Answer):
    session_id: str
    camera_id: str
    began_at: datetime
    ended_at: datetime | None
    """null while it goes on"""
    seconds: dict[Mood, float]
    """how long each mood stood"""
    picks: int


class Visits(Answer):
    sessions: list[Visit]
    """newest first"""


class CameraState(Answer):
    state: Literal["online", "offline", "degraded", "unknown"]
    last_frame_at: datetime | None


class Status(Answer):
    now: datetime
    state: Literal["ok", "degraded"]
    """degraded when a service that is needed, Redis or a camera does not work while the site is open"""
    opening: OpeningState
    redis: bool
    """whether it answers"""
    services: dict[str, Literal["online", "offline", "degraded", "off"]]
    """the voice service and the bridge are `off` when they are not set up"""
    cameras: dict[str, CameraState]
    dead_letters: int
    pictures_on_disk: bool
    """whether the operator has accepted a server that may write pictures to a disk"""


class FrameAccepted(Answer):
    camera_id: str
    """the name under which readings and moods of these pictures come"""


class SoundAccepted(Answer):
    id: str
    """`trace_id` of the event that comes of it, if one does"""
    camera_id: str
    """of the place where it was said"""
