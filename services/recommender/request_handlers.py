"""The requests that the recommender answers: songs of a mood, songs similar to one, what comes next, a path, a mood,
songs by name, what was said."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from moodstream.contracts.events import RequestMade, Song, new_id
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import (
    CheckSongSettings,
    ClearFeedback,
    FeedbackCleared,
    FeedbackList,
    FindMood,
    FindNext,
    FindPath,
    FindSimilar,
    ForgetLearned,
    FoundSong,
    LearnedForgotten,
    LearnedSong,
    LearnedSongs,
    ListFeedback,
    ListLearned,
    MoodOfSong,
    NextSongs,
    OfferSongs,
    Request,
    SearchSongs,
    SimilarSongs,
    SiteSettings,
    SongPath,
    SongsFound,
    SongsOfMood,
)
from services.recommender.choice.goals import Limits
from services.recommender.choice.learned import Learned
from services.recommender.feedback_store import FeedbackStore
from services.recommender.learned_store import LearnedStore
from services.recommender.reloader import Reloader
from shared.app.site_settings import SettingsDesk
from shared.delivery.serve import Handler


class RequestHandlers:
    """Each raises MoodstreamError when there is no such song, mood or session."""

    def __init__(
        self,
        reloader: Reloader,
        feedback: FeedbackStore,
        learned: LearnedStore | None,
        limits: Limits,
        desk: SettingsDesk[Any],
    ) -> None:
        self._reloader, self._feedback, self._learned = reloader, feedback, learned
        self._limits, self._desk = limits, desk

    def by_kind(self) -> Mapping[type[Request[Any]], Handler]:
        return {
            OfferSongs: self._offer,
            FindSimilar: self._similar,
            FindNext: self._next,
            FindPath: self._path,
            FindMood: self._mood,
            SearchSongs: self._search,
            ListFeedback: self._list_feedback,
            ClearFeedback: self._clear_feedback,
            ListLearned: self._list_learned,
            ForgetLearned: self._forget_learned,
            CheckSongSettings: self._check_settings,
        }

    async def _offer(self, request: OfferSongs, _: RequestMade) -> SongsOfMood:
        played = await self._feedback.recently_played()
        offered = await asyncio.to_thread(self._reloader.library.offer, Mood(request.mood), new_id(), played)
        return SongsOfMood(mood=Mood(request.mood), songs=offered.songs, filled=offered.filled)

    async def _similar(self, request: FindSimilar, _: RequestMade) -> SimilarSongs:
        mood = Mood(request.mood) if request.mood else None
        ranking = await asyncio.to_thread(self._reloader.library.ranked, request.id, request.n, mood)
        return SimilarSongs(id=request.id, ranking=ranking)

    async def _next(self, request: FindNext, _: RequestMade) -> NextSongs:
        mood = Mood(request.mood) if request.mood else None
        ranking = await asyncio.to_thread(self._reloader.library.after, request.ids, request.n, mood)
        return NextSongs(ids=request.ids, ranking=ranking)

    async def _path(self, request: FindPath, _: RequestMade) -> SongPath:
        songs = await asyncio.to_thread(self._find_path, request)
        return SongPath(id=request.id, goal=request.goal, songs=songs)

    def _find_path(self, request: FindPath) -> tuple[Song, ...]:
        library = self._reloader.library
        start = library.moods.mood(library.songs.position(request.id))
        return library.path(request.id, request.goal, start, request.n, self._limits)

    async def _mood(self, request: FindMood, _: RequestMade) -> MoodOfSong:
        return await asyncio.to_thread(self._describe, request.id)

    def _describe(self, song_id: str) -> MoodOfSong:
        library = self._reloader.library
        position = library.songs.position(song_id)
        described = library.moods.describe(song_id, position)
        return MoodOfSong.model_validate(described | {"song": library.song(position)})

    async def _search(self, request: SearchSongs, _: RequestMade) -> SongsFound:
        return await asyncio.to_thread(self._find_songs, request)

    def _find_songs(self, request: SearchSongs) -> SongsFound:
        library = self._reloader.library
        found = library.search(request.text, request.n)
        songs = library.songs_at([at for at, _ in found])
        each = zip(songs, found, strict=True)
        told = (FoundSong(song=song, mood=library.moods.mood(at), exact=exact) for song, (at, exact) in each)
        return SongsFound(text=request.text, found=tuple(told))

    async def _list_feedback(self, request: ListFeedback, _: RequestMade) -> FeedbackList:
        return FeedbackList(feedback=tuple(await self._feedback.list_feedback(request.session_id, request.profile)))

    async def _clear_feedback(self, request: ClearFeedback, _: RequestMade) -> FeedbackCleared:
        return FeedbackCleared(cleared=await self._feedback.clear(request.session_id, request.profile))

    async def _list_learned(self, _: ListLearned, __: RequestMade) -> LearnedSongs:
        if self._learned is None:
            return LearnedSongs(learns=False, songs=())
        return await asyncio.to_thread(self._tell_learned, await self._learned.read())

    def _tell_learned(self, learned_of: Mapping[Mood, Learned]) -> LearnedSongs:
        library, found = self._reloader.library, []
        for mood, learned in learned_of.items():
            kept_out = library.not_of(mood, learned)
            known = {song.id: song for song in library.known_songs(list(learned.songs))}
            for song_id, counts in learned.songs.items():
                values = {name: round(value, 2) for name, value in asdict(counts).items()}
                kept = song_id in kept_out
                found.append(LearnedSong(id=song_id, mood=mood, song=known.get(song_id), kept_out=kept, **values))
        found.sort(key=lambda one: (-one.wrong - one.refused, -one.taken, one.id))
        return LearnedSongs(learns=True, songs=tuple(found))

    async def _forget_learned(self, request: ForgetLearned, _: RequestMade) -> LearnedForgotten:
        return LearnedForgotten(forgotten=await self._learned.clear(request.id) if self._learned is not None else 0)

    async def _check_settings(self, request: CheckSongSettings, _: RequestMade) -> SiteSettings:
        return await asyncio.to_thread(self._desk.answer, request.values)
