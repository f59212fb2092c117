"""Where the songs of a recommender are: in a file, or in PostgreSQL."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from services.recommender.choice.library import LibraryOptions
    from services.recommender.choice.song_library import SongLibrary

# pandas, scikit-learn and psycopg take seconds to import, for which the page and the other services need not wait: they
# are imported where songs are read.


class Source(Protocol):
    """Builds the library, and says when it should be built again."""

    where: str
    """as people may see it"""

    def stamp(self) -> object:
        """Another one when the songs are others. Raises ConnectionError while a server is away."""

    def build(self, options: "LibraryOptions") -> "SongLibrary":
        """Raises MoodstreamError when the songs are no good, ConnectionError while a server is away."""

    def check(self, library: "SongLibrary", options: "LibraryOptions") -> None:
        """Raises MoodstreamError for options with which no song of the library in use could be offered."""

    def close(self) -> None:
        """Let go of all connections."""


class FileSource:
    """A catalogue that ``songs import`` wrote."""

    def __init__(self, path: Path) -> None:
        self._path, self.where = path, str(path)

    def stamp(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def build(self, options: "LibraryOptions") -> "SongLibrary":
        from services.recommender.catalogue.sample import sample_wanted, take_sample
        from services.recommender.catalogue.table import Catalogue
        from services.recommender.choice.library import Library

        catalogue = take_sample(self._path) if sample_wanted(self._path) else Catalogue.load(self._path)
        return Library.build(catalogue, options, self._path)

    def check(self, library: "SongLibrary", options: "LibraryOptions") -> None:
        from services.recommender.choice.library import Library

        assert isinstance(library, Library)
        options.filters.check(library.catalogue)

    def close(self) -> None:
        """There is nothing to let go of."""


class PostgresSource:
    """The newest whole version of the tables that ``songs import`` wrote there."""

    def __init__(self, url: str) -> None:
        """Raises SettingError for an address that cannot be right."""
        from services.recommender.postgres.database import Database

        self._database = Database(url)
        self.where = self._database.where

    def stamp(self) -> int:
        from services.recommender.postgres.version import newest

        return newest(self._database).number

    def build(self, options: "LibraryOptions") -> "SongLibrary":
        from services.recommender.postgres import library
        from services.recommender.postgres.version import newest

        self._database.check()
        return library.build(newest(self._database), options)

    def check(self, library: "SongLibrary", options: "LibraryOptions") -> None:
        from services.recommender.postgres import library as stored
        from services.recommender.postgres.version import newest

        stored.check(newest(self._database), options)

    def close(self) -> None:
        self._database.close()


def source_of(songs_url: str | None, catalogue: Path) -> Source:
    """PostgreSQL where an address is given, else the file. Raises SettingError."""
    return PostgresSource(songs_url) if songs_url else FileSource(catalogue)


def check_url(url: str | None) -> str | None:
    """Raises ValueError for what is no address of PostgreSQL; without asking its library, which takes long."""
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("an address of PostgreSQL begins with postgresql://")
    return url
