"""The operator's own music: which file of the folder a song's address means, and what of it the page may be sent.

Addresses are ``file:PATH``, relative to the folder, as ``moodstream songs scan`` writes them. Those of other programs
are understood, too: ``file:///`` with the whole path, and percent-encoded ones.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from moodstream.contracts.events import PlaybackChanged, Song
from services.gateway.covers import CoverReader
from shared.song_names import every_form

MEDIA_TYPES = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".webm": "audio/webm",
}
"""Of the sounds that browsers play; nothing else of the folder is served. The system's own list differs by machine."""

IN_PAGE = ("browser", "house")
"""The outputs for which the page itself makes the sound."""

Sound = Literal["recording", "made"]


class MusicFolder:
    """Finds files; in a folder that is not there, none."""

    def __init__(self, folder: Path) -> None:
        self.leaving: tuple[Path, ...] = ()
        """folders that are being deleted: of the song that plays, the file is still there"""
        self.change(folder)

    def change(self, folder: Path) -> None:
        """Another folder from now on."""
        self.folder = self._folder = folder.resolve()

    def find_file(self, path: str) -> Path | None:
        """The sound file that a path means, if it lies in the folder."""
        if "\0" in path:
            return None
        for folder in (self._folder, *self.leaving):
            for candidate in self._candidates(folder, path):
                if candidate.suffix.lower() in MEDIA_TYPES and self._is_inside(candidate, folder):
                    return candidate
        return None

    def find_song(self, song: Song) -> Path | None:
        """The recording of a song, if it is here."""
        scheme, _, path = (song.uri or "").partition(":")
        return self.find_file(path.removeprefix("//localhost").lstrip("/")) if scheme == "file" else None

    def sound_of(self, playback: PlaybackChanged) -> Sound | None:
        """What is heard on the page; None where nothing plays, or something else than the page plays it."""
        if playback.output not in IN_PAGE or playback.song is None:
            return None
        return "recording" if self.find_song(playback.song) else "made"

    def routes(self, middleware: Sequence[Middleware] = ()) -> list[BaseRoute]:
        """``/music/PATH`` is the sound, ``/cover/PATH`` the picture of the same file."""
        covers = CoverReader()

        async def music(request: Request) -> Response:
            file = self._requested(request)
            return FileResponse(file, media_type=MEDIA_TYPES[file.suffix.lower()])

        async def cover(request: Request) -> Response:
            # "Nothing to see" is no error: a browser would write one into its log for each song without a cover.
            found = await covers.read(self._requested(request))
            return Response(found.data, media_type=found.media_type) if found else Response(status_code=204)

        return [
            Route("/music/{path:path}", music, middleware=middleware),
            Route("/cover/{path:path}", cover, middleware=middleware),
        ]

    def _requested(self, request: Request) -> Path:
        file = self.find_file(request.path_params["path"])
        if file is None:
            raise HTTPException(404, "no such sound in the music folder")
        return file

    @staticmethod
    def _candidates(folder: Path, path: str) -> Iterator[Path]:
        for name in dict.fromkeys(form for one in (path, unquote(path)) for form in every_form(one)):
            yield folder / name.lstrip("/")
            yield Path("/", name)

    @staticmethod
    def _is_inside(candidate: Path, folder: Path) -> bool:
        try:
            return candidate.is_file() and candidate.resolve().is_relative_to(folder)
        except (OSError, ValueError):  # a name that is too long, or no name of a file
            return False
