"""Streams what is sent to a file, within bounds; an upload that breaks off leaves nothing behind."""

import asyncio
import contextlib
import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from services.gateway.uploads.kinds import ENDINGS, HEAD_BYTES, no_table, safe_path, sound_kind, sound_path

MAX_TABLE_BYTES = 512 * 2**20
MAX_SOUND_BYTES = 300 * 2**20
MAX_SOUNDS = 20_000
KEPT_FREE_BYTES = 256 * 2**20
"""of the disk, for all else that writes there"""
WRITE_BYTES = 2**20
DRAFT = ".upload-"


class NotTaken(Exception):
    """An upload that is refused; ``status`` is that of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Stored:
    path: Path
    name: str
    """as people know it"""
    size: int


class Uploads:
    """The folders ``uploads`` and ``music`` beside the settings."""

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        self.tables, self.music = folder / "uploads", folder / "music"

    async def store_table(self, name: str, size: int | None, chunks: AsyncIterator[bytes]) -> Stored:
        """The table that shall be imported; the one before goes. Raises NotTaken."""
        path = safe_path(name)
        target = self.tables / (path.name if path else "table")

        def place(head: bytes) -> Path:
            if what := no_table(head):
                raise NotTaken(415, f"{target.name} is {what}; nothing was changed")
            return target

        stored = await self._store(self.tables, target.name, place, size, MAX_TABLE_BYTES, chunks)
        await asyncio.to_thread(self._keep_alone, stored.path)
        return stored

    async def store_sound(self, name: str, size: int | None, chunks: AsyncIterator[bytes]) -> Stored:
        """One file of music more, in place of one of the same name. Raises NotTaken."""
        shown = Path(name).name[:100]
        if await asyncio.to_thread(lambda: len(list(self.sounds())) >= MAX_SOUNDS):
            raise NotTaken(413, f"there are {MAX_SOUNDS:,} files already; a folder of this machine has no such limit")

        def place(head: bytes) -> Path:
            kind = sound_kind(head)
            path = sound_path(name, kind) if kind else None
            if path is None:
                raise NotTaken(415, f"{shown} is no sound; it was not taken")
            return self.music / path

        return await self._store(self.music, shown, place, size, MAX_SOUND_BYTES, chunks)

    async def store_backup(self, size: int | None, chunks: AsyncIterator[bytes]) -> Stored:
        """A zip that shall be restored; whoever has read it removes it. Raises NotTaken."""

        def place(head: bytes) -> Path:
            if not head.startswith(b"PK"):
                raise NotTaken(415, "it is no backup: the file is no zip; nothing was changed")
            return self.tables / f".restore-{uuid4().hex}.zip"

        return await self._store(self.tables, "the backup", place, size, MAX_TABLE_BYTES, chunks)

    def sounds(self) -> Iterator[Path]:
        """The files of music that were sent. Blocks."""
        for parent, _, names in os.walk(self.music):
            endings = tuple(ending for kind in ENDINGS.values() for ending in kind)
            yield from (Path(parent, name) for name in names if name.lower().endswith(endings) and name[0] != ".")

    def describe(self) -> dict[str, int]:
        """By name, the bytes of each file that was sent: a sender who was cut off leaves these out. Blocks."""
        return {path.relative_to(self.music).as_posix(): path.stat().st_size for path in self.sounds()}

    def table(self) -> Path | None:
        """The table that was sent last. Blocks."""
        if not self.tables.is_dir():
            return None
        return next((file for file in self.tables.iterdir() if file.is_file() and file.name[0] != "."), None)

    def fault(self) -> str | None:
        """Why nothing can be stored; None where it can. Blocks."""
        try:
            self.tables.mkdir(parents=True, exist_ok=True)
            self.music.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return f"the gateway has no folder to write to ({self.tables.parent}: {error.strerror})"
        return None if os.access(self.tables, os.W_OK) else f"the gateway cannot write to {self.tables}"

    def forget_drafts(self) -> None:
        """Of a gateway that was killed. Blocks."""
        for folder in (self.tables, self.music):
            for draft in folder.glob(f"{DRAFT}*"):
                draft.unlink(missing_ok=True)

    def _keep_alone(self, kept: Path) -> None:
        for other in self.tables.iterdir():
            if other != kept and other.is_file() and not other.name.startswith("."):
                other.unlink(missing_ok=True)

    async def _store(
        self,
        folder: Path,
        name: str,
        place: Callable[[bytes], Path],
        size: int | None,
        max_bytes: int,
        chunks: AsyncIterator[bytes],
    ) -> Stored:
        if size is not None and size > max_bytes:
            raise NotTaken(413, f"{name} is larger than {max_bytes // 2**20} MB; it was not taken")
        draft = folder / f"{DRAFT}{uuid4().hex}"
        try:
            await asyncio.to_thread(_require_room, folder, size or 0)
            written, target = 0, None
            with await asyncio.to_thread(_create, draft) as file:
                async for chunk in _gathered(chunks):
                    target = target or place(chunk[:HEAD_BYTES])
                    written += len(chunk)
                    if written > max_bytes:
                        raise NotTaken(413, f"{name} is larger than {max_bytes // 2**20} MB; it was not taken")
                    await asyncio.to_thread(_write, file, chunk)
                if target is None:
                    raise NotTaken(422, f"{name} is empty")
                if size is not None and written != size:
                    raise NotTaken(400, f"{name} broke off after {written:,} of {size:,} bytes; send it again")
                await asyncio.to_thread(os.fsync, file.fileno())
            await asyncio.to_thread(_put, draft, target)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the disk is full" if full else error.strerror or type(error).__name__
            raise NotTaken(507, f"{name} could not be stored: {why}; nothing was changed") from None
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        return Stored(target, target.name, written)


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """In pieces of a size that is worth a thread; the first one holds the first bytes."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= WRITE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _require_room(folder: Path, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size + KEPT_FREE_BYTES:
        raise OSError(errno.ENOSPC, "the disk is full")


def _create(draft: Path) -> IO[bytes]:
    return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb", buffering=0)


def _write(file: IO[bytes], chunk: bytes) -> None:
    if shutil.disk_usage(file.fileno()).free < KEPT_FREE_BYTES:
        raise OSError(errno.ENOSPC, "the disk is full")
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


def _put(draft: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)
