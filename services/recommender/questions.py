"""The requests that the recommender answers: songs of a mood, songs similar to one."""

from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field, JsonValue, ValidationError

from shared.circumplex import MOODS, Mood
from shared.errors import MoodstreamError
from shared.events import new_id

if TYPE_CHECKING:
    from services.recommender.library import Library

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


def offer(body: dict[str, JsonValue], library: "Library") -> JsonValue:
    """{"mood", "songs"}: other songs each time. Raises MoodstreamError."""
    question = _understood(OfferQuestion, "songs.offer", body)
    songs = library.offer(Mood(question.mood), new_id())
    return {"mood": question.mood, "songs": [song.model_dump(mode="json") for song in songs]}


def similar(body: dict[str, JsonValue], library: "Library") -> JsonValue:
    """{"id", "ranking"}, of all songs. Raises MoodstreamError."""
    question = _understood(SimilarQuestion, "songs.similar", body)
    ranking = library.ranked(question.id, question.n)
    return {"id": question.id, "ranking": [entry.model_dump(mode="json") for entry in ranking]}


def _understood(kind: type[Q], name: str, body: dict[str, JsonValue]) -> Q:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise MoodstreamError(f"{name}: {place}: {fault['msg']}") from None
