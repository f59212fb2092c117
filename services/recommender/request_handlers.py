"""The requests that the recommender answers: songs of a mood, songs similar to one."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field, JsonValue, ValidationError

from moodstream.contracts.events import new_id
from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError
from services.recommender.choice.goals import Goal, Limits

if TYPE_CHECKING:
    from services.recommender.choice.library import Library

MOST_ANSWERED = 100

Q = TypeVar("Q", bound=BaseModel)


def _one_of_four(mood: str) -> str:
    if mood not in MOODS:
        raise ValueError(f"songs have one of the moods {', '.join(MOODS)}")
    return mood


class OfferQuestion(BaseModel):
    """``songs.offer``"""

    mood: Annotated[str, AfterValidator(_one_of_four)]


class SimilarQuestion(BaseModel):
    """``songs.similar``"""

    id: str
    n: int = Field(10, ge=1, le=MOST_ANSWERED)
    mood: Annotated[str | None, AfterValidator(lambda mood: mood and _one_of_four(mood))] = None
    """only songs of this mood; of all when not given"""


class PathQuestion(BaseModel):
    """``songs.path``"""

    id: str
    goal: Goal
    n: int = Field(10, ge=1, le=MOST_ANSWERED)


class MoodQuestion(BaseModel):
    """``songs.mood``"""

    id: str


class WhoseFeedback(BaseModel):
    """``feedback.list`` and ``feedback.clear``: of a session, or of a profile"""

    session_id: str | None = Field(None, min_length=1, max_length=200)
    profile: str | None = Field(None, min_length=1, max_length=200)


def offer(body: dict[str, JsonValue], library: "Library", heard: Collection[str] = ()) -> JsonValue:
    """{"mood", "songs", "filled"}: other songs each time. Raises MoodstreamError."""
    question = _understood(OfferQuestion, "songs.offer", body)
    offered = library.offer(Mood(question.mood), new_id(), heard)
    songs: list[JsonValue] = [song.model_dump(mode="json") for song in offered.songs]
    return {"mood": question.mood, "songs": songs, "filled": [mood.value for mood in offered.filled]}


def similar(body: dict[str, JsonValue], library: "Library") -> JsonValue:
    """{"id", "ranking"}. Raises MoodstreamError."""
    question = _understood(SimilarQuestion, "songs.similar", body)
    ranking = library.ranked(question.id, question.n, Mood(question.mood) if question.mood else None)
    return {"id": question.id, "ranking": [entry.model_dump(mode="json") for entry in ranking]}


def path(body: dict[str, JsonValue], library: "Library", limits: Limits) -> JsonValue:
    """{"id", "goal", "songs"}: from the mood of the song to the goal. Raises MoodstreamError."""
    question = _understood(PathQuestion, "songs.path", body)
    start = library.moods.mood(library.catalogue.position(question.id))
    songs = library.way(question.id, question.goal, start, question.n, limits)
    return {"id": question.id, "goal": question.goal, "songs": [song.model_dump(mode="json") for song in songs]}


def mood(body: dict[str, JsonValue], library: "Library") -> JsonValue:
    """{"id", "mood", "valence", "arousal", "memberships", "margin"} of a song. Raises MoodstreamError."""
    question = _understood(MoodQuestion, "songs.mood", body)
    return library.moods.told(question.id, library.catalogue.position(question.id))


def whose(body: dict[str, JsonValue], name: str) -> WhoseFeedback:
    """Whose feedback is meant. Raises MoodstreamError unless it is one session or one profile."""
    question = _understood(WhoseFeedback, name, body)
    if (question.session_id is None) == (question.profile is None):
        raise MoodstreamError(f"{name}: name a session_id or a profile")
    return question


def _understood(kind: type[Q], name: str, body: dict[str, JsonValue]) -> Q:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise MoodstreamError(f"{name}: {place}: {fault['msg']}") from None
