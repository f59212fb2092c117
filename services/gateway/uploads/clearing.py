"""Deletes the music that was sent: its songs leave the catalogue first, and what plays is heard to its end."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from moodstream.contracts.events import Song
from moodstream.contracts.requests import AskImport, SongsImport, StartImport
from moodstream.errors import MoodstreamError
from services.gateway.music import MusicFolder
from services.gateway.uploads.storage import Uploads
from shared.bus.connection import Bus
from shared.files import replacing

log = logging.getLogger("moodstream.gateway")

LOOK_EVERY_S = 1.0
ANSWER_S = 5.0
MARK = ".clearing"
LEAVING = ".leaving-"


class Clearing:
    """At most one at a time; it goes on after a restart."""

    def __init__(self, bus: Bus, uploads: Uploads, music: MusicFolder, playing: Callable[[], Song | None]) -> None:
        self._bus, self._uploads, self._music, self._playing = bus, uploads, music, playing
        self._mark = uploads.tables / MARK
        self._waiting_for: str | None = None

    async def begin(self) -> SongsImport:
        """Take the songs out of the catalogue, and then delete the files. Raises MoodstreamError or OSError."""
        if self._music.folder != self._uploads.music:  # no song of the catalogue means these files
            await asyncio.to_thread(self._put_aside)
            return await self._bus.ask(AskImport(), ANSWER_S)
        told = await self._bus.ask(StartImport(source="remaining"), ANSWER_S)
        self._waiting_for = _name(told)
        await asyncio.to_thread(self._write_mark, self._waiting_for)
        return told

    async def run(self) -> None:
        """For ever."""
        self._waiting_for = await asyncio.to_thread(self._read_mark)
        while True:
            if self._waiting_for is not None:
                await self._follow(self._waiting_for)
            if self._music.leaving or await asyncio.to_thread(self._left):
                await asyncio.to_thread(self._delete, self._playing())
            await asyncio.sleep(LOOK_EVERY_S)

    async def _follow(self, wanted: str) -> None:
        try:
            told = await self._bus.ask(AskImport(), ANSWER_S)
        except MoodstreamError:
            return  # the recommender comes back
        if _name(told) == wanted and (told.state == "running" or (told.state == "done" and not told.in_use)):
            return
        if _name(told) == wanted and told.state == "done":
            await asyncio.to_thread(self._put_aside)
        else:
            log.warning("the uploaded music was not deleted: its songs are still in the catalogue")
        self._waiting_for = None
        await asyncio.to_thread(self._mark.unlink, missing_ok=True)

    def _put_aside(self) -> None:
        """In one step: from now on there is no such file but for the song that plays."""
        if self._uploads.music.is_dir():
            self._uploads.music.rename(self._uploads.music.with_name(f"{LEAVING}{uuid4().hex}"))
        self._uploads.music.mkdir(exist_ok=True)
        self._music.leaving = self._left()

    def _delete(self, playing: Song | None) -> None:
        kept = self._music.find_song(playing) if playing else None
        for folder in self._left():
            if kept is not None and kept.is_relative_to(folder):
                for file in folder.rglob("*"):
                    if file.is_file() and file != kept:
                        file.unlink(missing_ok=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        self._music.leaving = self._left()

    def _left(self) -> tuple[Path, ...]:
        return tuple(sorted(self._uploads.music.parent.glob(f"{LEAVING}*")))

    def _write_mark(self, wanted: str) -> None:
        with replacing(self._mark) as file:
            file.write(wanted.encode())

    def _read_mark(self) -> str | None:
        try:
            return self._mark.read_bytes()[:100].decode(errors="replace") or None
        except OSError:
            return None


def _name(told: SongsImport) -> str:
    """Of an import: when it was begun."""
    return told.begun_at.isoformat() if told.begun_at else ""
