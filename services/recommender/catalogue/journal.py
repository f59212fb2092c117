"""What a scan measured, written down file by file, so that one that was stopped goes on where it was."""

import json
from pathlib import Path
from typing import Any, Self

from moodstream.errors import MoodstreamError

Entry = dict[str, Any]


class Journal:
    """One line for each file that was analysed, with its time and size; the last line of a file counts.

    Lines count for the same ``listener`` alone: with another model a file is heard again.
    """

    def __init__(self, path: Path, listener: str) -> None:
        self._path, self._listener = path, listener
        self._entries: dict[str, Entry] = {}

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = self._path.read_bytes().splitlines() if self._path.exists() else []
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise MoodstreamError(f"cannot write {self._path}: {error.strerror}") from None
        for line in lines:
            try:
                entry = json.loads(line)
                if entry["listener"] == self._listener:
                    self._entries[entry["file"]] = entry
            except (ValueError, KeyError, TypeError):
                continue  # of an older version, or the line that was being written when the power went
        if lines:
            self._file.write("\n")  # so that the next entry begins a line of its own
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def find_entry(self, name: str, stamp: list[int]) -> Entry | None:
        """What was measured of this very file; its name is its place in the folder."""
        entry = self._entries.get(name)
        return entry if entry is not None and entry["stamp"] == stamp else None

    def add(self, name: str, stamp: list[int], found: Entry) -> None:
        """Raises MoodstreamError when the disk is full."""
        entry = {"file": name, "stamp": stamp, "listener": self._listener} | found
        try:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        except OSError as error:
            raise MoodstreamError(f"cannot write {self._path}: {error.strerror}") from None


def stamp_of(path: Path) -> list[int]:
    """Raises OSError."""
    stat = path.stat()
    return [stat.st_mtime_ns, stat.st_size]
