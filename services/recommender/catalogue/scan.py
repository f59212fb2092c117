"""A catalogue from a folder of music files: tags, addresses, features and moods from the sound.

What was measured is written down file by file beside the catalogue (``journal.py``), so that a scan that was stopped
goes on where it was, and the next one hears only files that are new or changed. No single file ever ends a scan.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.journal import Entry, Journal, stamp_of
from services.recommender.catalogue.listening import Heard, listen_to_all
from services.recommender.catalogue.progress import Progress, bar
from services.recommender.catalogue.table import TEXTS, Catalogue, name_key
from services.recommender.models.ears import EARS, EARS_ALONE, FORMULAS, Ears, best_ears
from services.recommender.models.tagger import TAGGER

Listen = Callable[[Sequence[Path]], Iterator[tuple[Path, Heard]]]
"""Hears files, and gives each with what was heard as they are done."""

SUFFIXES = frozenset(
    {
        ".mp3",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".m4b",
        ".mp4",
        ".aac",
        ".wav",
        ".aif",
        ".aiff",
        ".aifc",
        ".wma",
        ".mka",
        ".webm",
        ".wv",
        ".tta",
        ".ape",
        ".mpc",
    }
)


@dataclass
class ScanReport:
    """What became of the files."""

    files: int = 0
    analysed: int = 0
    """files that were analysed this time; the others were before"""
    songs: int = 0
    listener: str = FORMULAS
    """the model that heard the moods, or ``FORMULAS``"""
    without_network: bool = False
    """whether the better model could not answer for want of what it needs"""
    duplicates: dict[str, str] = field(default_factory=dict)
    """by file, the file of the same title and artist that is in the catalogue instead"""
    faults: dict[str, str] = field(default_factory=dict)
    """by file, why it is not in the catalogue"""

    def as_dict(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "heard": self.analysed,
            "songs": self.songs,
            "listener": self.listener,
            "duplicates": self.duplicates,
            "faults": self.faults,
        }

    def as_text(self) -> str:
        lines = [f"{self.files} files, {self.analysed} heard now, {self.songs} songs in the catalogue"]
        if self.listener == FORMULAS:
            lines.append(f"{EARS} is not there: moods follow from plain formulas, which are right far less often")
        elif self.without_network:
            lines.append(f"{TAGGER.what} is not installed, so fewer moods are right: `moodstream setup` fetches it")
        lines += [f"  {name}: {fault}" for name, fault in self.faults.items()]
        lines += [f"  {name}: the same song as {other}" for name, other in self.duplicates.items()]
        return "\n".join(lines)


def scan(
    folder: Path,
    target: Path,
    progress: Progress = lambda _: None,
    *,
    ears: Path | None = None,
    processes: int | None = None,
    listen: Listen | None = None,
    journal: Path | None = None,
) -> ScanReport:
    """The music of the folder becomes the catalogue at ``target``.

    ``ears`` is the file of the model that hears moods, by default the best that is here; where there is none, formulas
    answer. ``processes`` listen at the same time, by default as many as there are cores; ``listen`` listens in another
    way. What was heard is remembered beside ``journal``, by default beside the target.

    Raises MoodstreamError when there is no such folder, nothing in it is music, or the extra ``scan`` is not installed.
    """
    if not folder.is_dir():
        raise MoodstreamError(f"no folder {folder}")
    ears = best_ears() if ears is None else ears if ears.exists() else None
    listener = Ears.load(ears).version if ears else FORMULAS
    report = ScanReport(listener=listener, without_network=ears == EARS_ALONE and EARS.exists())
    found: dict[str, Entry] = {}
    beside = journal or target
    with Journal(beside.with_name(f"{beside.name}.scan.jsonl"), listener) as heard_before:
        new = []
        for path in music(folder):
            name = shown(path, folder)
            found[name] = {"fault": "it has not been heard"}
            try:
                stamp = _usable(path)
            except MoodstreamError as error:
                found[name] = {"fault": str(error)}
                continue
            known = heard_before.find_entry(name, stamp)
            if known is None:
                new.append((path, stamp))
            else:
                found[name] = known
        report.files = len(found)
        shows = bar(progress, len(new))
        stamps, paths = dict(new), [path for path, _ in new]
        listen = listen or partial(listen_to_all, ears=ears, processes=processes)
        for path, heard in listen(paths):
            name = shown(path, folder)
            found[name] = _entry(heard, folder)
            heard_before.add(name, stamps[path], found[name])
            report.analysed += 1
            shows(report.analysed, name)
    rows = _songs(found, report)
    if not rows:
        raise MoodstreamError(_nothing(folder, report))
    _catalogue(rows).save(target)
    report.songs = len(rows)
    return report


def music(folder: Path) -> Iterator[Path]:
    """Music files below the folder, in order; links to folders are not followed, so that no circle catches it."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            # What begins with a dot is hidden: macOS leaves "._Song.mp3" beside every song on a foreign disk.
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(parent, name)


def address_of(path: Path, folder: Path) -> str:
    """``file:`` and the place in the folder of music, letter by letter as it is on the disk: nothing is encoded."""
    return f"file:{path.relative_to(folder).as_posix()}"


def shown(path: Path, folder: Path) -> str:
    """The place in the folder; bytes that are no UTF-8 as ``\\xe9``, so that any file and terminal takes them."""
    return os.fsencode(path.relative_to(folder)).decode("utf-8", "backslashreplace")


def _usable(path: Path) -> list[int]:
    """The stamp of a file that can be listened to. Raises MoodstreamError."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise MoodstreamError("its name is not UTF-8, so no page or player could ask for it: rename it") from None
    if path.is_symlink() and not path.exists():
        raise MoodstreamError("it is a broken symbolic link")
    if not path.is_file():  # a pipe would keep the scan waiting for ever
        raise MoodstreamError("it is not a file")
    try:
        return stamp_of(path)
    except OSError as error:
        raise MoodstreamError(f"cannot be read: {error.strerror}") from None


def _entry(heard: Heard, folder: Path) -> Entry:
    if heard.fault:
        return {"fault": heard.fault}
    uri = address_of(heard.path, folder)
    return {"song": {"id": hashlib.blake2b(uri.encode(), digest_size=11).hexdigest(), "uri": uri} | heard.song}


def _songs(found: dict[str, Entry], report: ScanReport) -> list[dict[str, Any]]:
    """One of each title and artist: visitors would hear the same song again."""
    rows: list[dict[str, Any]] = []
    first: dict[tuple[str, str], str] = {}
    for name, entry in sorted(found.items()):
        if fault := entry.get("fault"):
            report.faults[name] = fault
            continue
        song = entry["song"]
        known = name_key(song["title"], song["artist"])
        if all(known) and known in first:
            report.duplicates[name] = first[known]
            continue
        first[known] = name
        rows.append(song)
    return rows


def _nothing(folder: Path, report: ScanReport) -> str:
    reasons = "; ".join(f"{name}: {fault}" for name, fault in list(report.faults.items())[:3])
    return f"no music that can be used in {folder} ({report.files} files{'; ' if reasons else ''}{reasons})"


def _catalogue(rows: list[dict[str, Any]]) -> Catalogue:
    import pandas as pd

    frame = pd.DataFrame(rows)
    for name in TEXTS:
        frame[name] = frame[name].astype("str")
    return Catalogue(frame)
