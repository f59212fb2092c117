"""The library in use: built at the start, and again when the catalogue changes, or a season begins or ends."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from moodstream.errors import MoodstreamError

if TYPE_CHECKING:
    from services.recommender.choice.library import Library, LibraryOptions

log = logging.getLogger("moodstream.recommender")

CHECK_EVERY_S = 0.5

Stamp = tuple[int, int, int] | None


class Reloader:
    """Holds one library. Reading and fitting run in a thread, and who asks for songs never waits for a change."""

    def __init__(
        self,
        path: Path,
        read_options: "Callable[[date], LibraryOptions]",
        today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
    ) -> None:
        """``read_options`` is called each time and each day, so that changed lists of songs and seasons count."""
        self._path = path
        self._read_options = read_options
        self._today = today
        self._day: date | None = None
        self._options: LibraryOptions | None = None
        self._library: Library | None = None
        self._seen: Stamp = None

    @property
    def library(self) -> "Library":
        """The library in use."""
        assert self._library is not None, "load comes first"
        return self._library

    @property
    def count(self) -> int:
        """Songs in the catalogue; 0 before it was read."""
        return len(self._library.catalogue) if self._library is not None else 0

    async def load(self) -> None:
        """Read the catalogue for the first time. Raises MoodstreamError when it is no good."""
        before = await asyncio.to_thread(self._stamp)
        self._library = await asyncio.to_thread(self._build)
        self._seen = before or await asyncio.to_thread(self._stamp)  # the sample may have been put there just now

    async def watch(self) -> None:
        """Follow the changes of the file for ever."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            stamp = await asyncio.to_thread(self._stamp)
            if stamp != self._seen or await asyncio.to_thread(self._another_season):
                self._seen = stamp
                await self._reload()

    def _another_season(self) -> bool:
        """Whether a new day asks for another library than the one in use."""
        day = self._today()
        if day == self._day:
            return False
        self._day = day
        try:
            return self._read_options(day) != self._options
        except MoodstreamError as error:
            log.warning("the songs of yesterday stay: %s", error)
            return False

    async def _reload(self) -> None:
        try:
            self._library = await asyncio.to_thread(self._build)
        except MoodstreamError as error:
            log.warning("the new catalogue is not used, the old one stays: %s", error)

    def _build(self) -> "Library":
        # pandas and scikit-learn take seconds to import, for which the page and the other services need not wait.
        from services.recommender.catalogue.sample import sample_wanted, take_sample
        from services.recommender.catalogue.table import Catalogue
        from services.recommender.choice.library import Library

        catalogue = take_sample(self._path) if sample_wanted(self._path) else Catalogue.load(self._path)
        self._day = self._today()
        options = self._read_options(self._day)
        library = Library.build(catalogue, options, self._path)
        self._options = options
        log.info("%d songs from %s", len(catalogue), self._path)
        return library

    def _stamp(self) -> Stamp:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
