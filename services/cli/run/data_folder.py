"""One owner for a folder with a Redis's files: two servers on one append-only file lose each other's events."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from moodstream.errors import MoodstreamError
from shared.files import PRIVATE, PRIVATE_FOLDER

LOCK = "moodstream.lock"
WAIT_S = 3.0
"""A server whose owner was killed needs a moment to end; until then it holds the lock that it inherited."""
KEPT_BY_REDIS = "appendonlydir"


@contextlib.contextmanager
def owned_folder(folder: Path, wait_s: float = WAIT_S) -> Iterator[int]:
    """Make the folder, private to its owner, and lock it; gives the lock, which child processes may inherit.

    Raises MoodstreamError when it cannot be used, or another process still uses it after ``wait_s``.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    except OSError as error:
        raise MoodstreamError(f"the data folder {folder}: {error.strerror}") from None
    try:
        _take(lock, folder, wait_s)
        _make_private(folder)
        yield lock
    finally:
        os.close(lock)


def _take(lock: int, folder: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                text = f"another `moodstream run` already uses the data folder {folder}; end it, or name another folder"
                raise MoodstreamError(text) from None
            time.sleep(0.05)
        except OSError as error:
            raise MoodstreamError(f"the data folder {folder} cannot be locked: {error.strerror}") from None
        else:
            return


def _make_private(folder: Path) -> None:
    """What earlier versions made was readable by everybody. The folder itself may be one that its owner shares."""
    kept = folder / KEPT_BY_REDIS
    if kept.is_dir() and not kept.is_symlink():
        kept.chmod(PRIVATE_FOLDER)
