"""What Spotify's search gives, with holes in it, and what is asked for."""

from typing import Any

from moodstream.contracts.events import Song
from services.player.spotify.song_uris import SongUris


class Search:
    """Answers every search alike."""

    def __init__(self, *items: Any) -> None:
        self.items, self.asked = items, list[str]()

    def search(self, text: str, **_: Any) -> dict[str, Any]:
        self.asked.append(text)
        return {"tracks": {"items": list(self.items)}}


def track(name: str | None, *artists: Any, uri: str | None = "spotify:track:1") -> dict[str, Any]:
    return {"name": name, "artists": list(artists), "uri": uri}


RIGHT = track("Harbour (2011 Remastered Version)", {"name": "Ola Verano"}, uri="spotify:track:right")
SONG = Song(id="1", title="Harbour - Live", artist="Ola Verano;Plum Radio")


def test_holes_among_the_results_hide_no_song() -> None:
    nameless: tuple[Any, ...] = (track(None, {"name": "Ola Verano"}), track("Harbour", None))
    holes = (None, {}, *nameless, track("Harbour", {"name": None}))
    gone = track("Harbour", {"name": "Ola Verano"}, uri=None)
    assert SongUris(Search(*holes, gone, RIGHT)).find_uri(SONG) == "spotify:track:right"
    assert SongUris(Search(*holes)).find_uri(SONG) is None


def test_the_bare_title_and_one_artist_are_searched_for() -> None:
    api = Search(RIGHT)
    SongUris(api).find_uri(SONG)
    assert api.asked == ['track:"Harbour" artist:"Ola Verano"']


def test_a_song_of_a_folder_is_searched_for_as_one_without_an_address() -> None:
    """Somebody's own catalogue, and Spotify as its player: the address of the file says nothing there."""
    for uri in ("file:Ola Verano/Harbour.mp3", "https://open.spotify.com/track/1", None):
        api = Search(RIGHT)
        uris = SongUris(api)
        song = SONG.model_copy(update={"uri": uri})
        assert uris.known_uri(song) is None
        assert uris.find_uri(song) == uris.known_uri(song) == "spotify:track:right"
        assert len(api.asked) == 1
    assert SongUris(Search()).find_uri(SONG.model_copy(update={"uri": "spotify:track:own"})) == "spotify:track:own"
