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
