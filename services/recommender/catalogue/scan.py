"""A catalogue from a folder of music files: tags by mutagen, features from the sound.

What was measured is written down file by file beside the catalogue, so that a scan that was stopped goes on where it
was, and the next one analyses only files that are new or changed.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.audio import ExtraMissing, measure_file
from services.recommender.catalogue.progress import Progress
from services.recommender.catalogue.table import TEXTS, Catalogue

SUFFIXES = frozenset({".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wav", ".aif", ".aiff", ".wma"})

Entry = dict[str, Any]


@dataclass
class ScanReport:
    """What became of the files."""

    files: int = 0
    analysed: int = 0
    """files that were analysed this time; the others were before"""
    songs: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    """by file, why it is not in the catalogue"""

    def as_dict(self) -> dict[str, Any]:
        return {"files": self.files, "heard": self.analysed, "songs": self.songs, "faults": self.faults}

    def as_text(self) -> str:
        lines = [f"{self.files} files, {self.analysed} heard now, {self.songs} songs in the catalogue"]
        return "\n".join(lines + [f"  {name}: {fault}" for name, fault in self.faults.items()])


def scan(folder: Path, target: Path, progress: Progress = lambda _: None) -> ScanReport:
    """The music of the folder becomes the catalogue at ``target``.

    Raises MoodstreamError when there is no such folder, nothing in it is music, or the extra ``scan`` is not installed.
    """
    if not folder.is_dir():
        raise MoodstreamError(f"no folder {folder}")
    report = ScanReport()
    rows = []
    with Journal(target.with_name(f"{target.name}.scan.jsonl")) as journal:
        for path in music(folder):
            report.files += 1
            progress(f"{report.files}: {path.name}")
            entry = journal.find_entry(path)
            if entry is None:
                entry = journal.add(path, analyse(path))
                report.analysed += 1
            if fault := entry.get("fault"):
                report.faults[str(path.relative_to(folder))] = fault
            else:
                rows.append(entry["song"])
    if not rows:
        raise MoodstreamError(f"no music that can be used in {folder} ({report.files} files)")
    _catalogue(rows).save(target)
    report.songs = len(rows)
    return report


def music(folder: Path) -> Iterator[Path]:
    """Music files below the folder, in order; links to folders are not followed, so that no circle catches it."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)


def analyse(path: Path) -> Entry:
    """What a file is: ``song`` in the columns of a catalogue, or the ``fault`` for which it is none."""
    try:
        numbers = measure_file(path)
    except ExtraMissing:
        raise
    except MoodstreamError as error:
        return {"fault": str(error)}
    uri = path.resolve().as_uri()
    return {
        "song": tags(path) | {"id": hashlib.blake2b(uri.encode(), digest_size=11).hexdigest(), "uri": uri} | numbers
    }


def tags(path: Path) -> dict[str, Any]:
    """Title, artist, genre and year; the name of the file where it has no title."""
    import mutagen

    try:
        found = mutagen.File(path, easy=True) or {}
    except mutagen.MutagenError:
        found = {}
    first = {name: str((found.get(name) or [""])[0]).strip() for name in ("title", "artist", "genre", "date")}
    artists = ";".join(str(name).strip() for name in found.get("artist") or [])
    year = first["date"][:4]
    return {
        "title": first["title"] or path.stem,
        "artist": artists,
        "genre": first["genre"],
        "year": int(year) if year.isdecimal() else 0,
    }


class Journal:
    """One line for each file that was analysed, with its time and size; the last line of a file counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, Entry] = {}

    def __enter__(self) -> "Journal":
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = self._path.read_bytes().splitlines() if self._path.exists() else []
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise MoodstreamError(f"cannot write {self._path}: {error.strerror}") from None
        for line in lines:
            try:
                entry = json.loads(line)
                self._entries[entry["file"]] = entry
            except (ValueError, KeyError, TypeError):
                continue  # the line that was being written when the power went
        if lines:
            self._file.write("\n")  # so that the next entry begins a line of its own
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def find_entry(self, path: Path) -> Entry | None:
        """What was measured of this very file."""
        entry = self._entries.get(str(path.resolve()))
        return entry if entry is not None and entry["stamp"] == _stamp(path) else None

    def add(self, path: Path, found: Entry) -> Entry:
        entry = {"file": str(path.resolve()), "stamp": _stamp(path)} | found
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        return entry


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_mtime_ns, stat.st_size]


def _catalogue(rows: list[Entry]) -> Catalogue:
    import pandas as pd

    frame = pd.DataFrame(rows)
    for name in TEXTS:
        frame[name] = frame[name].astype("str")
    return Catalogue(frame)
