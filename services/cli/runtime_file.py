"""Where ``moodstream run`` writes its address, and where every other command finds it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from moodstream.errors import MoodstreamError
from shared.files import own_folder, read_own, write_private
from shared.paths import RUNTIME, runtime_dir


@dataclass(frozen=True)
class Running:
    """A running ``moodstream run``."""

    pid: int
    page: str
    redis_url: str


def runtime_file() -> Path:
    """In a folder of this user alone."""
    return runtime_dir() / "moodstream.json"


def write_running(running: Running) -> None:
    """Write the file, readable by its owner alone: the address of Redis may hold a password.

    Raises MoodstreamError where its folder belongs to somebody else, or cannot be written to.
    """
    file = runtime_file()
    try:
        own_folder(file.parent)
        write_private(file, json.dumps(asdict(running)))
    except PermissionError:
        raise MoodstreamError(
            f"the folder {file.parent} is not of this user alone; remove it, or set {RUNTIME}"
        ) from None
    except OSError as error:
        raise MoodstreamError(f"{file}: {error.strerror}; set {RUNTIME} to a folder of yours") from None


def find_running() -> Running | None:
    """What runs now, or None; a file that somebody else could have written says nothing."""
    try:
        running = Running(**json.loads(read_own(runtime_file())))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return running


def remove_running() -> None:
    """Remove our own file; another run's stays."""
    running = find_running()
    if running is not None and running.pid == os.getpid():
        runtime_file().unlink(missing_ok=True)
