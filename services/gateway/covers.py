"""Covers of music files for the page: one is read at a time, and the last few are remembered."""

import asyncio
from pathlib import Path

from shared.bounded import Bounded
from shared.music_files import Cover, cover_of

KEPT = 16
MAX_TAG_BYTES = 16_000_000
"""A file whose ID3 tag says that it is larger counts as one without a cover: it would be read as a whole."""


class CoverReader:
    """In a thread, since a file may lie on a slow disk."""

    def __init__(self) -> None:
        self._known: Bounded[tuple[Path, int], Cover | None] = Bounded(KEPT)
        self._reading = asyncio.Lock()

    async def read(self, file: Path) -> Cover | None:
        """The cover of a music file, or None."""
        async with self._reading:
            return await asyncio.to_thread(self._read, file)

    def _read(self, file: Path) -> Cover | None:
        try:
            key = file, file.stat().st_mtime_ns
            if key not in self._known:
                self._known[key] = cover_of(file) if _id3_bytes(file) <= MAX_TAG_BYTES else None
        except OSError:  # it has just vanished
            return None
        return self._known[key]


def _id3_bytes(file: Path) -> int:
    """The size that an ID3v2 tag at the beginning says of itself; 0 without one."""
    with file.open("rb") as opened:
        head = opened.read(10)
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    return sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
