"""A running Moodstream, to listen to and to ask, over HTTP or over Redis."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Protocol, Self, TypeVar

from pydantic import BaseModel

from moodstream import listening
from moodstream.addresses import is_http
from moodstream.blocking import iter_events, iter_moods
from moodstream.contracts.events import Event, MoodChanged, Song
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import (
    AskCamera,
    AskPlayer,
    CameraPaused,
    CameraStatus,
    ChooseMood,
    ClearFeedback,
    CommandPlayer,
    Device,
    EndSession,
    FeedbackCleared,
    FeedbackList,
    FindMood,
    FindNext,
    FindPath,
    FindSimilar,
    ForgetLearned,
    FourMoods,
    Goal,
    LearnedForgotten,
    LearnedSongs,
    ListDevices,
    ListFeedback,
    ListLearned,
    MoodOfSong,
    NextSongs,
    OfferSongs,
    PauseCamera,
    PlayerAction,
    PlayerState,
    PlayerStatus,
    Request,
    SearchSongs,
    Session,
    SimilarSongs,
    SongPath,
    SongsFound,
    SongsOfMood,
)
from moodstream.errors import MoodstreamError
from moodstream.feed import OnGap, warn_of_gap
from moodstream.listening import events, moods
from moodstream.redis_asking import open_redis

__all__ = ["Client", "events", "iter_events", "iter_moods", "moods"]

R = TypeVar("R", bound=BaseModel)
AnyMood = FourMoods | Mood


class Asker(Protocol):
    async def ask(self, request: Request[R]) -> R: ...


class Client:
    """Open it with ``async with``. It connects when it is first used; listening has connections of its own.

    Whatever is asked raises MoodstreamError with one line: RequestRefused when the service refuses, NoAnswer when none
    answers in time.
    """

    def __init__(self, url: str, *, prefix: str = "mood:", timeout_s: float = 3.0) -> None:
        """``prefix`` counts for Redis alone. Raises MoodstreamError when the address cannot be right."""
        self._url, self._prefix, self._timeout_s = url, prefix, timeout_s
        self._is_http = is_http(url)
        self._opened = AsyncExitStack()
        self._asker: Asker | None = None

    async def __aenter__(self) -> Self:
        if self._is_http:
            from moodstream.http_asking import open_http  # here, since httpx is an extra

            self._asker = await self._opened.enter_async_context(open_http(self._url, self._timeout_s))
        else:
            opening = open_redis(self._url, self._prefix, self._timeout_s)
            self._asker = await self._opened.enter_async_context(opening)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._asker = None
        await self._opened.aclose()

    async def ask(self, request: Request[R]) -> R:
        """The reply to any request of ``moodstream.contracts.requests``."""
        if self._asker is None:
            raise MoodstreamError("the client is not open; use it inside `async with Client(...) as client:`")
        return await self._asker.ask(request)

    def moods(
        self, *, cameras: Sequence[str] = (), moods: Sequence[str] = (), on_gap: OnGap = warn_of_gap
    ) -> AsyncGenerator[MoodChanged, None]:
        """Every mood event from now on."""
        return listening.moods(self._url, cameras=cameras, moods=moods, on_gap=on_gap, prefix=self._prefix)

    def events(
        self,
        *,
        types: Sequence[str] = (),
        cameras: Sequence[str] = (),
        moods: Sequence[str] = (),
        on_gap: OnGap = warn_of_gap,
    ) -> AsyncGenerator[Event, None]:
        """Every event from now on; ``types`` are names of events."""
        return listening.events(
            self._url, types=types, cameras=cameras, moods=moods, on_gap=on_gap, prefix=self._prefix
        )

    async def offer(self, mood: AnyMood) -> SongsOfMood:
        """Five songs of a mood, others each time."""
        return await self.ask(OfferSongs.of({"mood": mood}))

    async def similar(self, song_id: str, n: int = 10, mood: AnyMood | None = None) -> SimilarSongs:
        """The ``n`` songs nearest to one, of one mood or of all."""
        return await self.ask(FindSimilar.of({"id": song_id, "n": n, "mood": mood}))

    async def next_songs(self, song_ids: Sequence[str], n: int = 10, mood: AnyMood | None = None) -> NextSongs:
        """The ``n`` songs that come next after some that were heard, the oldest first; of one mood or of all."""
        return await self.ask(FindNext.of({"ids": list(song_ids), "n": n, "mood": mood}))

    async def path(self, song_id: str, goal: Goal, n: int = 10) -> SongPath:
        """Songs that lead from the mood of one to a goal: match, lift or calm."""
        return await self.ask(FindPath.of({"id": song_id, "goal": goal, "n": n}))

    async def mood_of(self, song_id: str) -> MoodOfSong:
        """The mood of a song and its place on the circumplex."""
        return await self.ask(FindMood.of({"id": song_id}))

    async def search(self, text: str, n: int = 10) -> SongsFound:
        """The ``n`` songs whose title and artist fit a text best; accents and small mistakes do not matter."""
        return await self.ask(SearchSongs.of({"text": text, "n": n}))

    async def learned(self) -> LearnedSongs:
        """What the site has learned from its visitors; over Redis alone."""
        return await self.ask(ListLearned())

    async def forget_learned(self, song_id: str | None = None) -> LearnedForgotten:
        """Forget it, of one song or of all; over Redis alone."""
        return await self.ask(ForgetLearned.of({"id": song_id}))

    async def choose_mood(self, mood: AnyMood, camera_id: str) -> Session:
        """A mood chosen by hand at a camera."""
        return await self.ask(ChooseMood.of({"mood": mood, "camera_id": camera_id}))

    async def end_session(self, camera_id: str) -> Session:
        """The visit at a camera ends and is forgotten."""
        return await self.ask(EndSession.of({"camera_id": camera_id}))

    async def feedback(self, *, session_id: str | None = None, profile: str | None = None) -> FeedbackList:
        """What was said in a visit or under a profile; over HTTP in a visit that goes on."""
        return await self.ask(ListFeedback.of({"session_id": session_id, "profile": profile}))

    async def clear_feedback(self, *, session_id: str | None = None, profile: str | None = None) -> FeedbackCleared:
        """Forget what was said in a visit or under a profile; over HTTP in a visit that goes on."""
        return await self.ask(ClearFeedback.of({"session_id": session_id, "profile": profile}))

    async def player(
        self,
        command: PlayerAction,
        *,
        percent: float | None = None,
        device: str | None = None,
        song: Song | str | None = None,
    ) -> PlayerState:
        """Steer the player; ``percent`` is for `volume`, ``device`` for `transfer`, ``song`` for `play` and `queue`."""
        given = song.model_dump() if isinstance(song, Song) else song
        return await self.ask(
            CommandPlayer.of({"command": command, "percent": percent, "device": device, "song": given})
        )

    async def player_status(self) -> PlayerStatus:
        """What plays, what comes next, and what is needed."""
        return await self.ask(AskPlayer())

    async def devices(self) -> tuple[Device, ...]:
        """What the player could play on; over Redis alone."""
        return (await self.ask(ListDevices())).root

    async def camera_status(self, camera_id: str) -> CameraStatus:
        """How a camera does; over Redis alone."""
        return await self.ask(AskCamera.of({"camera_id": camera_id}))

    async def pause_camera(self, camera_id: str, seconds: float) -> CameraPaused:
        """The camera captures nothing for so long; 0 wakes it; over Redis alone."""
        return await self.ask(PauseCamera.of({"camera_id": camera_id, "seconds": seconds}))
