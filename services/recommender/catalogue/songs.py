"""What a library asks of the place where songs are kept: a file in memory, or a database."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from moodstream.contracts.events import Song
from moodstream.errors import MoodstreamError
from services.recommender.models.vectors import Floats, Positions


class UnknownSong(MoodstreamError):
    """An id that is in no row."""

    def __init__(self, song_id: str) -> None:
        super().__init__(f"no song with the id {song_id!r} in the catalogue")


class Songs(Protocol):
    """Songs by position, 0 to n - 1 in the order of their ids."""

    def __len__(self) -> int: ...

    def find(self, song_ids: Iterable[str]) -> dict[str, int]:
        """Positions by id of those that are there, in the order asked for."""

    def position(self, song_id: str) -> int:
        """Raises UnknownSong."""

    def ids(self, positions: Sequence[int]) -> list[str]: ...

    def songs(self, positions: Sequence[int]) -> list[Song]:
        """What the table says of the songs; their places on the circumplex are not in it."""

    def artist(self, position: int) -> str:
        """What tells the first artist of a song from others; empty when unknown. Asked for often, so quick."""


class TextSearch(Protocol):
    """Finds songs by title and artist."""

    def find(self, text: str, count: int) -> list[tuple[int, bool]]:
        """Positions of the songs that fit best, and whether each has all the words as they were written."""


class Rows(Protocol):
    """Numbers of songs, [n, d]; an array is one."""

    def __getitem__(self, positions: Positions, /) -> Floats:
        """[k, d] of the songs at positions [k]."""
