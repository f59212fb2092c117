"""The library in use: built at the start, and again when the songs change, or a season begins or ends."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING

from moodstream.errors import MoodstreamError
from shared.bus.outage import REDIS_ERRORS

if TYPE_CHECKING:
    from services.recommender.choice.library import LibraryOptions
    from services.recommender.choice.song_library import SongLibrary
    from services.recommender.sources import Source

log = logging.getLogger("moodstream.recommender")

CHECK_EVERY_S = 0.5
RETRY_S = 1.0
REMIND_EVERY_S = 30.0


class Reloader:
    """Holds one library. Reading and fitting run in a thread, and who asks for songs never waits for a change."""

    def __init__(
        self,
        source: "Source",
        read_options: "Callable[[date], LibraryOptions]",
        today: Callable[[], date],
    ) -> None:
        """``read_options`` is called each time and each day, so that changed lists of songs and seasons count."""
        self._source = source
        self._read_options = read_options
        self._today = today
        self._day: date | None = None
        self._options: LibraryOptions | None = None
        self._library: SongLibrary | None = None
        self._seen: object = None
        self.fault: str | None = None
        """why the newest songs are not in use"""
        self._away_since_s: float | None = None
        self._told_s = 0.0
        self._changed: list[Callable[[], Awaitable[None]]] = []

    @property
    def library(self) -> "SongLibrary":
        """The library in use."""
        assert self._library is not None, "load comes first"
        return self._library

    @property
    def count(self) -> int:
        """Songs in the catalogue; 0 before it was read."""
        return len(self._library.songs) if self._library is not None else 0

    @property
    def is_current(self) -> bool:
        """Whether the songs as they are now were looked at, and are in use. Blocks for a moment."""
        try:
            return self.fault is None and self._source.stamp() == self._seen
        except ConnectionError:
            return False

    def change_options(self, read_options: "Callable[[date], LibraryOptions]") -> None:
        """The next look at the file, at once, builds the library anew if that makes a difference."""
        self._read_options = read_options
        self._day = None

    def when_changed(self, act: Callable[[], Awaitable[None]]) -> None:
        """Whenever another library is in use, this is done; the first does not count."""
        self._changed.append(act)

    def check(self, options: "LibraryOptions") -> None:
        """Raises MoodstreamError where no song in use would be left to offer."""
        if self._library is not None:
            self._source.check(self._library, options)

    async def load(self) -> None:
        """Read the songs for the first time. Raises MoodstreamError when they are no good; waits for a server."""
        while True:
            try:
                before = await asyncio.to_thread(self._source.stamp)
                self._library = await asyncio.to_thread(self._build)
                # the sample may have been put there just now
                self._seen = before or await asyncio.to_thread(self._source.stamp)
            except ConnectionError as error:
                self._tell_away(error)
                await asyncio.sleep(RETRY_S)
            else:
                self._tell_back()
                return

    async def watch(self) -> None:
        """Follow the changes of the songs for ever."""
        try:
            while True:
                await asyncio.sleep(CHECK_EVERY_S)
                await self._look()
        finally:
            self._source.close()

    async def _look(self) -> None:
        try:
            stamp = await asyncio.to_thread(self._source.stamp)
            if stamp != self._seen or await asyncio.to_thread(self._another_season):
                await self._reload()
                self._seen = stamp
        except ConnectionError as error:
            self._tell_away(error)
            await asyncio.sleep(RETRY_S)
        else:
            self._tell_back()

    def _tell_away(self, error: ConnectionError) -> None:
        now_s = time.monotonic()
        if self._away_since_s is None:
            self._away_since_s = self._told_s = now_s
            log.warning("waiting for the songs: %s", error)
        elif now_s - self._told_s >= REMIND_EVERY_S:
            self._told_s = now_s
            log.warning("still waiting for the songs, for %.0f s: %s", now_s - self._away_since_s, error)

    def _tell_back(self) -> None:
        if self._away_since_s is not None:
            log.warning("the songs are available again after %.1f s", time.monotonic() - self._away_since_s)
            self._away_since_s = None

    def _another_season(self) -> bool:
        """Whether a new day asks for another library than the one in use."""
        day = self._today()
        if day == self._day:
            return False
        self._day = day
        try:
            return self._read_options(day) != self._options
        except MoodstreamError as error:
            log.warning("keeping the songs in use: %s", error)
            return False

    async def _reload(self) -> None:
        try:
            self._library = await asyncio.to_thread(self._build)
        except MoodstreamError as error:
            self.fault = str(error)
            log.warning("keeping the old catalogue, because the new one cannot be used: %s", error)
            return
        self.fault = None
        for act in self._changed:
            try:
                await act()
            except REDIS_ERRORS as error:
                log.warning("Redis is away: offers keep songs that are gone until they expire: %s", error)

    def _build(self) -> "SongLibrary":
        self._day = self._today()
        options = self._read_options(self._day)
        library = self._source.build(options)
        self._options = options
        log.info("%d songs from %s", len(library.songs), self._source.where)
        return library
