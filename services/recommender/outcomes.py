"""The events that follow from moods and picks. The same cause always makes the same songs and the same event id."""

from random import Random
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from shared.circumplex import MOODS
from shared.events import MoodChanged, SongPicked, SongsOffered, SongsRanked, expiry

if TYPE_CHECKING:
    from services.recommender.library import Library

Play = Literal["top", "pick"]


def asks_for_songs(mood: MoodChanged) -> bool:
    """Whether songs may be offered: one of the four moods, new or forced, in a session that goes on."""
    return mood.phase != "end" and mood.reason != "heartbeat" and mood.mood in MOODS and mood.session_id is not None


def offer_for(mood: MoodChanged, library: "Library") -> SongsOffered:
    return SongsOffered.following(
        mood,
        camera_id=mood.camera_id,
        mood=mood.mood,
        songs=library.offer(mood.mood, mood.id),
        expires_at=expiry(SongsOffered),
    )


def auto_pick(offer: SongsOffered) -> SongPicked:
    """The pick of a site without visitors who pick: one of the songs at random."""
    song = Random(UUID(offer.id).int).choice(offer.songs)
    return SongPicked.following(
        offer, offer_id=offer.id, song_id=song.id, mood=offer.mood, by="auto", expires_at=expiry(SongPicked)
    )


def ranking_for(pick: SongPicked, library: "Library", count: int, play: Play) -> SongsRanked:
    """The ranking of the songs of the offer's mood. Raises MoodstreamError for an unknown song.

    ``play`` "top": the best match is heard first, as in the article; "pick": the pick is, then its matches.
    """
    picked = library.catalogue.song(library.catalogue.position(pick.song_id))
    ranking = library.ranked(pick.song_id, count, pick.mood)
    best = tuple(entry.song for entry in ranking)
    return SongsRanked.following(
        pick,
        offer_id=pick.offer_id,
        picked=picked,
        mood=pick.mood,
        ranking=ranking,
        # In a mood of one song the pick is all there is to hear.
        play=best if play == "top" and best else (picked, *best),
        by=pick.by,
        expires_at=expiry(SongsRanked),
    )
