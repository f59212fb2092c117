"""The process of one import: ``python -m services.recommender.importing.work CATALOGUE``.

It takes from the record what to do, writes there how far it is, and puts the new catalogue in place as its last deed:
until then nothing has changed. It ends when the recommender does, whose end it notices by its own standard input.
"""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from moodstream.contracts.events import utc_now
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.importers import ImportOptions, import_songs
from services.recommender.catalogue.progress import Counted
from services.recommender.catalogue.refusals import UnknownColumns
from services.recommender.catalogue.sample import sample_file
from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.outliers import MIN_SECONDS
from services.recommender.importing.record import Record, RecordFile
from services.recommender.main import RecommenderSettings
from shared.settings import load

WRITE_EVERY_S = 0.4
MAX_UNPACKED = 1 << 30
"""bytes of a table that somebody has sent"""
ENDS_WITHIN_S = 8.0
"""Who listens to a long file when everything ends is killed."""
KINDLY = 10
"""niceness: faces are read meanwhile"""


class Told(Counted):
    """Writes what is done now, at most a few times a second."""

    def __init__(self, file: RecordFile, record: Record) -> None:
        self._file, self.record = file, record
        self._written_s = 0.0

    def __call__(self, text: str) -> None:
        self._change(doing=text, done=None, total=None)

    def count(self, done: int, total: int, name: str) -> None:
        self._change(doing=name, done=done, total=total)

    def _change(self, **values: Any) -> None:
        self.record = self.record.changed(**values)
        if time.monotonic() - self._written_s >= WRITE_EVERY_S:
            self._file.write(self.record)
            self._written_s = time.monotonic()


def main(catalogue: Path) -> int:
    """Returns the exit code; what the record says counts more."""
    _be_modest()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, _leave)
    file = RecordFile(catalogue)
    with _alone(file):
        record = file.read()
        if record is None or record.state != "running":
            return 0
        told = Told(file, record)
        try:
            report = make_catalogue(record, catalogue, told)
            ended = told.record.changed(state="done", report=report, doing="", error=None)
        except UnknownColumns as error:
            ended = told.record.changed(state="failed", error=_told(error, record), proposal=error.proposal.as_dict())
        except MoodstreamError as error:
            ended = told.record.changed(state="failed", error=_told(error, record))
        except MemoryError:
            ended = told.record.changed(state="failed", error="this machine has too little memory for it")
        file.write(ended.changed(ended_at=utc_now()))
    return 0


def make_catalogue(record: Record, target: Path, progress: Counted) -> dict[str, Any]:
    """What became of the rows or files. Raises MoodstreamError: then the old songs stay."""
    checked = target.with_name(f".{target.stem}.new{target.suffix}")
    try:
        if record.source == "folder":
            # needs packages of moodstream[scan]
            from services.recommender.catalogue.scan import scan

            report = scan(Path(record.path), checked, progress, journal=target).as_dict()
        elif record.source == "remaining" and (rest := _without_files(target)):
            songs, report = rest
            progress(f"writing {len(songs):,} songs")
            songs.save(checked)
        else:
            source = Path(record.path) if record.source == "table" else sample_file()
            options = ImportOptions(guess=record.guess, max_unpacked=MAX_UNPACKED)
            songs, imported = import_songs(source, options, progress)
            progress(f"writing {imported.kept:,} songs")
            songs.save(checked)
            report = imported.as_dict()
        report["offered"] = _count_offered(checked)
        try:
            checked.replace(target)
        except OSError as error:
            raise MoodstreamError(f"cannot write the catalogue {target}: {error.strerror}") from None
    finally:
        checked.unlink(missing_ok=True)
    return report


def _without_files(file: Path) -> tuple[Catalogue, dict[str, Any]] | None:
    """The songs that are in use but for those of music files; None where none is left."""
    if not file.exists():
        return None
    frame = Catalogue.load(file).frame
    kept = frame[~frame["uri"].str.startswith("file:")]
    dropped = {"their music file is deleted": len(frame) - len(kept)}
    if kept.empty:
        return None
    return Catalogue(kept), {"rows": len(frame), "kept": len(kept), "dropped": dropped, "columns": {}, "notes": []}


def _told(error: MoodstreamError, record: Record) -> str:
    """With the name that whoever has sent the file knows."""
    return str(error).replace(record.path, record.name) if record.path and record.name else str(error)


def _count_offered(file: Path) -> int:
    """Raises MoodstreamError where no song of it could be offered here: the recommender would not take it up."""
    songs = Catalogue.load(file)
    offered = int(load(RecommenderSettings).library_options().filters.mask(songs).sum())
    if not offered:
        why = f"pieces below {MIN_SECONDS} s, intros and spoken word are not, nor what the settings leave out"
        raise MoodstreamError(f"none of its {len(songs):,} songs may be offered here: {why}")
    return offered


@contextlib.contextmanager
def _alone(file: RecordFile) -> Iterator[None]:
    """Wait for the process of a recommender that was ended a moment ago."""
    file.lock.parent.mkdir(parents=True, exist_ok=True)
    with file.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _be_modest() -> None:
    os.nice(KINDLY)
    with contextlib.suppress(OSError):  # no Linux
        Path("/proc/self/oom_score_adj").write_text("1000")  # before the services are


def _leave(_: int, __: FrameType | None) -> None:
    """As after Ctrl-C: what is half done is cleaned up, and those who listen to files are ended."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_kill_late, daemon=True).start()
    sys.exit(1)


def _kill_late() -> None:
    time.sleep(ENDS_WITHIN_S)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing ever comes; a buffered reader would be in the way of an ordinary end
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
