"""Where Spotify has a song: at the song's own address, else at one that is searched for by title and artist."""

import spotipy

from moodstream.contracts.events import Song
from services.player.programme.matching import bare_title, first_artist, same_song
from shared.bounded import Bounded

TRACK = "spotify:track:"
SEARCH_LIMIT = 10
"""Spotify's own limit of a search."""
KNOWN_KEPT = 500


class SongUris:
    """Searches for a song once. Its methods block: call them in a thread."""

    def __init__(self, api: spotipy.Spotify) -> None:
        self._api = api
        self._found: Bounded[str, str | None] = Bounded(KNOWN_KEPT)
        """addresses that were searched for, by song id"""

    def find_uri(self, song: Song) -> str | None:
        """None when Spotify does not have it."""
        if _is_track(song.uri):
            return song.uri
        if song.id not in self._found:
            self._found[song.id] = self._search(song)
        return self._found[song.id]

    def known_uri(self, song: Song) -> str | None:
        """Without a search."""
        return song.uri if _is_track(song.uri) else self._found.get(song.id)

    def _search(self, song: Song) -> str | None:
        title, artist = (text.replace('"', " ") for text in (bare_title(song.title), first_artist(song.artist)))
        found = self._api.search(f'track:"{title}" artist:"{artist}"', limit=SEARCH_LIMIT, type="track")
        for track in filter(_is_whole, found["tracks"]["items"]):
            names = [artist["name"] for artist in track["artists"]]
            if track.get("is_playable", True) and same_song(song.title, song.artist, track["name"], names):
                return str(track["uri"])
        return None


def _is_whole(track: object) -> bool:
    """Whether it can be looked at: among Spotify's results stand nulls, and tracks without names or artists."""
    if not isinstance(track, dict) or not track.get("name") or not track.get("uri"):
        return False
    artists = track.get("artists")
    return isinstance(artists, list) and all(isinstance(one, dict) and one.get("name") for one in artists)


def _is_track(uri: str | None) -> bool:
    return uri is not None and uri.startswith(TRACK)
