"""Where files of this user lie, as the XDG Base Directory Specification 0.8 has it.

A variable that is unset, empty or no absolute path counts for nothing: "must be set to an absolute path", or else a
secret could end up in whatever folder a command was called from.
https://specifications.freedesktop.org/basedir-spec/0.8/
"""

import os
import tempfile
from pathlib import Path


def data_home() -> Path:
    """What the user would miss: the catalogue."""
    return _folder("XDG_DATA_HOME") or Path.home() / ".local" / "share"


def state_home() -> Path:
    """What shall outlive a restart, but belongs to this machine: tokens."""
    return _folder("XDG_STATE_HOME") or Path.home() / ".local" / "state"


RUNTIME = "XDG_RUNTIME_DIR"


def runtime_dir() -> Path:
    """What counts until the user signs out or the machine ends; a folder of this user alone."""
    return _folder(RUNTIME) or Path(tempfile.gettempdir()) / f"moodstream-{os.getuid()}"


def _folder(variable: str) -> Path | None:
    folder = Path(os.environ.get(variable, ""))
    return folder if folder.is_absolute() else None
