"""Writing a file as a whole: readers see the old one or the new one, never half of it, also after a power cut."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

PRIVATE, READABLE = 0o600, 0o644
PRIVATE_FOLDER = 0o700


@contextlib.contextmanager
def replacing(path: Path, mode: int = READABLE, *, make_folders: bool = True) -> Iterator[IO[bytes]]:
    """A new file that takes the place of ``path`` once it is complete; after an error it is as if never begun.

    Missing folders are made, for their owner alone where the file is private, unless ``make_folders`` is False.
    Raises OSError.
    """
    if make_folders:
        path.parent.mkdir(mode=PRIVATE_FOLDER if mode == PRIVATE else 0o777, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)  # of a process that had the same number and was killed
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask is
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replace a file that its owner alone can read. Raises OSError."""
    with replacing(path, PRIVATE) as file:
        file.write(text.encode())


def create_private(path: Path, text: str) -> None:
    """Make a new file that its owner alone can read, in such folders. Raises FileExistsError, or another OSError."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(text.encode())


def own_folder(path: Path) -> None:
    """Make a private folder, or see that it is one: a real folder, of this user, in which nobody else can write.

    In a temporary folder anybody may have made it before. Raises OSError, of which PermissionError says that it is
    somebody else's.
    """
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=PRIVATE_FOLDER)
    _check_owner(path.lstat(), path, stat.S_ISDIR)


def read_own(path: Path) -> str:
    """The text of a file that this user alone has written, in such a folder. Raises OSError or ValueError."""
    _check_owner(path.parent.lstat(), path.parent, stat.S_ISDIR)
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        _check_owner(os.fstat(file.fileno()), path, stat.S_ISREG)
        return file.read().decode()


def _check_owner(found: os.stat_result, path: Path, is_kind: Callable[[int], bool]) -> None:
    others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not is_kind(found.st_mode) or found.st_uid != os.getuid() or others_write:
        raise PermissionError(f"{path} is not of this user alone")
