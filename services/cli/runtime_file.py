"""Where ``moodstream run`` writes its address, and where every other command finds it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.paths import runtime_dir


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
    """Write the file, readable by its owner alone: the address of Redis may hold a password."""
    file = runtime_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(running)))
    draft.replace(file)


def find_running() -> Running | None:
    """What runs now, or None."""
    try:
        running = Running(**json.loads(runtime_file().read_text()))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return running


def remove_running() -> None:
    """Remove our own file; another run's stays."""
    running = find_running()
    if running is not None and running.pid == os.getpid():
        runtime_file().unlink(missing_ok=True)
