"""Starts, watches and ends the process of an import; goes on after a restart where one was not done."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moodstream.contracts.events import RequestMade, new_id, utc_now
from moodstream.contracts.requests import AskImport, CancelImport, Request, SongsImport, StartImport
from moodstream.errors import MoodstreamError
from services.recommender.importing.record import MAX_TRIES, Record, RecordFile
from services.recommender.reloader import Reloader
from shared.delivery.serve import Handler

log = logging.getLogger("moodstream.recommender")

IN_DATABASE = "the songs are in PostgreSQL (MOODSTREAM_SONGS_URL): `moodstream songs import`, then `songs upload`"
LEAVES_WITHIN_S = 2.0


class Importer:
    """One import at a time."""

    def __init__(self, catalogue: Path, reloader: Reloader, *, in_database: bool) -> None:
        self._catalogue, self._reloader, self._in_database = catalogue, reloader, in_database
        self._file = RecordFile(catalogue)
        self._begun = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled: str | None = None

    def by_kind(self) -> Mapping[type[Request[Any]], Handler]:
        return {AskImport: self.ask, StartImport: self.start, CancelImport: self.cancel}

    async def ask(self, _: AskImport, __: RequestMade) -> SongsImport:
        """How it does."""
        return await asyncio.to_thread(lambda: self._tell(self._file.read()))

    async def start(self, request: StartImport, _: RequestMade) -> SongsImport:
        """Raises MoodstreamError where one runs, or nothing can be imported here."""
        before = await asyncio.to_thread(self._file.read)
        if before is not None and before.state == "running":
            raise MoodstreamError("an import is running already; wait for its end or cancel it")
        if refused := self._refused():
            raise MoodstreamError(refused)
        path = Path(request.path)
        if request.source == "table" and not await asyncio.to_thread(path.is_file):
            raise MoodstreamError(
                "the recommender does not see what was uploaded: it has no folder in common with the gateway; "
                "`moodstream songs import FILE` there"
            )
        if request.source == "folder" and not await asyncio.to_thread(path.is_dir):
            raise MoodstreamError(f"the recommender sees no folder {request.path}")
        asked = request.model_dump(include={"source", "path", "name", "guess"})
        record = Record(id=new_id(), state="running", begun_at=utc_now(), **asked)
        try:
            await asyncio.to_thread(self._file.write, record)
        except OSError as error:
            raise MoodstreamError(f"the import cannot be noted beside the catalogue: {error.strerror}") from None
        self._begun.set()
        return await asyncio.to_thread(self._tell, record)

    async def cancel(self, _: CancelImport, __: RequestMade) -> SongsImport:
        """It ends within seconds; nothing happens where none runs."""
        record = await asyncio.to_thread(self._file.read)
        if record is not None and record.state == "running":
            self._cancelled = record.id
            self._signal(signal.SIGTERM)
        return await asyncio.to_thread(self._tell, record)

    async def run(self) -> None:
        """Work off what was begun, now or before a restart, for ever."""
        while True:
            record = await asyncio.to_thread(self._file.read)
            if record is None or record.state != "running":
                await self._begun.wait()
                self._begun.clear()
            elif record.tries >= MAX_TRIES:
                self._end(record, "failed", "it has ended its process several times; perhaps the memory is too small")
            else:
                await self._work(record.changed(tries=record.tries + 1))

    async def _work(self, record: Record) -> None:
        self._file.write(record)
        command = (sys.executable, "-m", "services.recommender.importing.work", str(self._catalogue))
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        if self._cancelled == record.id:  # before there was a process
            self._signal(signal.SIGTERM)
        try:
            code = await self._process.wait()
        except asyncio.CancelledError:
            await self._leave()
            if (left := self._file.read()) is not None and left.state == "running":
                self._file.write(left.changed(tries=record.tries - 1))  # it did not end by itself
            raise
        finally:
            self._process = None
        after = self._file.read() or record
        if after.id != record.id or after.state != "running":
            log.info("the process of an import of songs has ended")
        elif self._cancelled == record.id:
            self._end(after, "cancelled", None)
        else:
            why = f"signal {-code}; perhaps the memory is too small" if code < 0 else f"code {code}; its log says why"
            self._end(after, "failed", f"its process ended with {why}")

    async def _leave(self) -> None:
        """The recommender ends; the record still says "running", so that it goes on with the next one."""
        self._signal(signal.SIGTERM)
        assert self._process is not None
        try:
            async with asyncio.timeout(LEAVES_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def _end(self, record: Record, state: Any, error: str | None) -> None:
        log.warning("an import of songs was not done: %s", error or state)
        self._file.write(record.changed(state=state, error=error, ended_at=utc_now()))

    def _refused(self) -> str | None:
        if self._in_database:
            return IN_DATABASE
        if not self._file.writable():
            return f"the recommender cannot write its catalogue {self._catalogue}"
        return None

    def _tell(self, record: Record | None) -> SongsImport:
        songs, refused = self._reloader.count, self._refused()
        if record is None:
            return SongsImport(state="none", songs=songs, refused=refused)
        told = record.model_dump(exclude={"path", "tries", "guess"})
        in_use = record.state != "done" or self._reloader.is_current
        return SongsImport(**told, songs=songs, in_use=in_use, refused=refused or self._reloader.fault)
