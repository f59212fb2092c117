"""The events that follow from moods and picks. The same cause always makes the same songs and the same event id."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from moodstream.contracts.events import (
    MoodChanged,
    RequestMade,
    SongPicked,
    SongsOffered,
    SongsRanked,
    expiry,
    uuid_of,
)
from moodstream.contracts.moods import MOODS, Mood
from moodstream.contracts.requests import Goal, RenewOffer
from services.recommender.choice.goals import Limits
from services.recommender.choice.preferences import NO_PREFERENCES, Preferences

if TYPE_CHECKING:
    from services.recommender.choice.history import Past
    from services.recommender.choice.learned import Learned
    from services.recommender.choice.song_library import SongLibrary

Play = Literal["top", "pick"]

NOTHING: Mapping[Mood, "Learned"] = MappingProxyType({})
"""A site has learned nothing."""


def wants_offer(mood: MoodChanged) -> bool:
    """Whether songs may be offered: one of the four moods, new or forced, in a session that goes on."""
    return mood.phase != "end" and mood.reason != "heartbeat" and mood.mood in MOODS and mood.session_id is not None


def create_offer(
    mood: MoodChanged,
    library: "SongLibrary",
    recently_played: Collection[str] = (),
    preferences: Preferences = NO_PREFERENCES,
    history: "Iterable[Past]" = (),
    learned: "Mapping[Mood, Learned]" = NOTHING,
) -> SongsOffered:
    offer = library.offer(mood.mood, mood.id, recently_played, preferences, history, learned)
    return SongsOffered.following(
        mood,
        camera_id=mood.camera_id,
        mood=mood.mood,
        songs=offer.songs,
        filled=offer.filled,
        expires_at=expiry(SongsOffered),
    )


def renew_offer(
    request: RenewOffer,
    made: RequestMade,
    library: "SongLibrary",
    recently_played: Collection[str] = (),
    preferences: Preferences = NO_PREFERENCES,
    history: "Iterable[Past]" = (),
    learned: "Mapping[Mood, Learned]" = NOTHING,
) -> SongsOffered:
    """The same songs once more, or others of that mood; others, too, where the catalogue has lost one of them."""
    songs, mood = library.known_songs(request.songs), Mood(request.mood)
    filled: tuple[Mood, ...] = ()
    if request.other or not songs or len(songs) < len(request.songs):
        offer = library.offer(mood, made.id, {*recently_played, *request.songs}, preferences, history, learned)
        songs, filled = offer.songs, offer.filled
    return SongsOffered.following(
        made,
        session_id=request.session_id,
        camera_id=request.camera_id,
        mood=mood,
        songs=songs,
        filled=filled,
        expires_at=expiry(SongsOffered),
    )


def replace_offer(
    lost: SongsOffered,
    library: "SongLibrary",
    recently_played: Collection[str] = (),
    preferences: Preferences = NO_PREFERENCES,
    history: "Iterable[Past]" = (),
    learned: "Mapping[Mood, Learned]" = NOTHING,
) -> SongsOffered:
    """Other songs of the same mood, for an offer whose songs the catalogue has lost."""
    offer = library.offer(lost.mood, lost.id, recently_played, preferences, history, learned)
    return SongsOffered.following(
        lost,
        camera_id=lost.camera_id,
        mood=lost.mood,
        songs=offer.songs,
        filled=offer.filled,
        expires_at=expiry(SongsOffered),
    )


def create_auto_pick(offer: SongsOffered) -> SongPicked:
    """The pick for a site where nobody picks: one of the songs at random."""
    song = Random(uuid_of(offer.id).int).choice(offer.songs)
    return SongPicked.following(
        offer, offer_id=offer.id, song_id=song.id, mood=offer.mood, by="auto", expires_at=expiry(SongPicked)
    )


@dataclass(frozen=True)
class RankingOptions:
    """How songs are ranked after a pick, and which of them play."""

    count: int = 10
    """how many songs are ranked"""
    play: Play = "top"
    """"top": the best match is heard first, as in the article; "pick": the pick is, then its matches"""
    goal: Goal = "match"
    """other goals play songs that lead there instead"""
    limits: Limits = field(default_factory=Limits)


def create_ranking(
    pick: SongPicked,
    library: "SongLibrary",
    options: RankingOptions,
    preferences: Preferences = NO_PREFERENCES,
    history: "Iterable[Past]" = (),
    learned: "Mapping[Mood, Learned]" = NOTHING,
) -> SongsRanked:
    """The ranking of the songs of the offer's mood. Raises MoodstreamError for an unknown song."""
    picked = library.song(library.songs.position(pick.song_id))
    ranking = library.ranked(pick.song_id, options.count, pick.mood, preferences, history, learned, pick.id)
    best = tuple(entry.song for entry in ranking)
    if options.goal != "match":
        best = library.path(pick.song_id, options.goal, pick.mood, options.count, options.limits)
    return SongsRanked.following(
        pick,
        offer_id=pick.offer_id,
        picked=picked,
        mood=pick.mood,
        ranking=ranking,
        # In a mood of one song the pick is all there is to hear.
        play=best if options.play == "top" and best else (picked, *best),
        goal=options.goal,
        by=pick.by,
        expires_at=expiry(SongsRanked),
    )
