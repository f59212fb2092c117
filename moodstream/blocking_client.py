"""The client for programs without asyncio."""

from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Self, TypeVar

from pydantic import BaseModel

from moodstream.blocking import BackgroundLoop, iter_events, iter_moods
from moodstream.client import AnyMood, Client
from moodstream.contracts.events import Event, MoodChanged, Song
from moodstream.contracts.requests import (
    CameraPaused,
    CameraStatus,
    Device,
    FeedbackCleared,
    FeedbackList,
    Goal,
    LearnedForgotten,
    LearnedSongs,
    MoodOfSong,
    NextSongs,
    PlayerAction,
    PlayerState,
    PlayerStatus,
    Request,
    Session,
    SimilarSongs,
    SongPath,
    SongsFound,
    SongsOfMood,
)
from moodstream.feed import OnGap, warn_of_gap

R = TypeVar("R", bound=BaseModel)


class BlockingClient:
    """The methods of ``Client``; open it with ``with``. Several threads may use one."""

    def __init__(self, url: str, *, prefix: str = "mood:", timeout_s: float = 3.0) -> None:
        self._url, self._prefix = url, prefix
        self._client = Client(url, prefix=prefix, timeout_s=timeout_s)
        self._loop = BackgroundLoop()

    def __enter__(self) -> Self:
        self._loop.__enter__()
        self._loop.run(self._client.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._loop.run(self._client.__aexit__(kind, error, at))
        finally:
            self._loop.__exit__(kind, error, at)

    def ask(self, request: Request[R]) -> R:
        return self._loop.run(self._client.ask(request))

    def moods(
        self, *, cameras: Sequence[str] = (), moods: Sequence[str] = (), on_gap: OnGap = warn_of_gap
    ) -> Generator[MoodChanged, None, None]:
        return iter_moods(self._url, cameras=cameras, moods=moods, on_gap=on_gap, prefix=self._prefix)

    def events(
        self,
        *,
        types: Sequence[str] = (),
        cameras: Sequence[str] = (),
        moods: Sequence[str] = (),
        on_gap: OnGap = warn_of_gap,
    ) -> Generator[Event, None, None]:
        return iter_events(self._url, types=types, cameras=cameras, moods=moods, on_gap=on_gap, prefix=self._prefix)

    def offer(self, mood: AnyMood) -> SongsOfMood:
        return self._loop.run(self._client.offer(mood))

    def similar(self, song_id: str, n: int = 10, mood: AnyMood | None = None) -> SimilarSongs:
        return self._loop.run(self._client.similar(song_id, n, mood))

    def next_songs(self, song_ids: Sequence[str], n: int = 10, mood: AnyMood | None = None) -> NextSongs:
        return self._loop.run(self._client.next_songs(song_ids, n, mood))

    def path(self, song_id: str, goal: Goal, n: int = 10) -> SongPath:
        return self._loop.run(self._client.path(song_id, goal, n))

    def mood_of(self, song_id: str) -> MoodOfSong:
        return self._loop.run(self._client.mood_of(song_id))

    def search(self, text: str, n: int = 10) -> SongsFound:
        return self._loop.run(self._client.search(text, n))

    def learned(self) -> LearnedSongs:
        return self._loop.run(self._client.learned())

    def forget_learned(self, song_id: str | None = None) -> LearnedForgotten:
        return self._loop.run(self._client.forget_learned(song_id))

    def choose_mood(self, mood: AnyMood, camera_id: str) -> Session:
        return self._loop.run(self._client.choose_mood(mood, camera_id))

    def end_session(self, camera_id: str) -> Session:
        return self._loop.run(self._client.end_session(camera_id))

    def feedback(self, *, session_id: str | None = None, profile: str | None = None) -> FeedbackList:
        return self._loop.run(self._client.feedback(session_id=session_id, profile=profile))

    def clear_feedback(self, *, session_id: str | None = None, profile: str | None = None) -> FeedbackCleared:
        return self._loop.run(self._client.clear_feedback(session_id=session_id, profile=profile))

    def player(
        self,
        command: PlayerAction,
        *,
        percent: float | None = None,
        device: str | None = None,
        song: Song | str | None = None,
    ) -> PlayerState:
        return self._loop.run(self._client.player(command, percent=percent, device=device, song=song))

    def player_status(self) -> PlayerStatus:
        return self._loop.run(self._client.player_status())

    def devices(self) -> tuple[Device, ...]:
        return self._loop.run(self._client.devices())

    def camera_status(self, camera_id: str) -> CameraStatus:
        return self._loop.run(self._client.camera_status(camera_id))

    def pause_camera(self, camera_id: str, seconds: float) -> CameraPaused:
        return self._loop.run(self._client.pause_camera(camera_id, seconds))
