"""The offers that this process has made and that visitors may still choose from."""

from typing import TYPE_CHECKING

from moodstream.contracts.events import SongsOffered, utc_now
from shared.bounded import Bounded

if TYPE_CHECKING:
    from services.recommender.choice.song_library import SongLibrary

MAX_OPEN = 1000


class OpenOffers:
    """The last one of each visit. Whether a visitor has chosen already is for Redis to say."""

    def __init__(self) -> None:
        self._of: Bounded[str, SongsOffered] = Bounded(MAX_OPEN)

    def add(self, offer: SongsOffered) -> None:
        if offer.session_id is not None:
            self._of[offer.session_id] = offer

    def without_their_songs(self, library: "SongLibrary") -> list[SongsOffered]:
        """Those of which the library has lost a song, or may not offer it any more; those that expired are dropped."""
        now = utc_now()
        for session in [session for session, offer in self._of.items() if offer.expires_at <= now]:
            del self._of[session]
        offered = {song.id for offer in self._of.values() for song in offer.songs}
        known = library.songs.find(sorted(offered))
        left = {song for song, at in known.items() if library.allowed[at]}
        return [offer for offer in self._of.values() if not left.issuperset(song.id for song in offer.songs)]
