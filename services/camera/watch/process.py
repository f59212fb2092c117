"""A capture process as its parent sees it: start, messages, rate, end."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from services.camera.rules.job import LENGTHS, MAX_BYTES, Job, rate_line
from shared.tasks import end_tasks

COMMAND = (sys.executable, "-m", "services.camera.capture.worker")
STOP_S = 1.5


class CaptureProcess:
    """One process. Its environment holds none of our settings, because some of them are passwords."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, job: Job, command: Sequence[str] = COMMAND) -> "CaptureProcess":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            limit=256 * 1024,
            start_new_session=True,  # the terminal's Ctrl-C reaches us, and we end it
        )
        started = cls(process)
        started._write(job.as_line())
        return started

    async def read_message(self) -> tuple[dict[str, Any], bytes] | None:
        """The next message and its JPEG; None when the process has ended."""
        assert self._process.stdout is not None
        try:
            head, jpeg = LENGTHS.unpack(await self._process.stdout.readexactly(LENGTHS.size))
            if head + jpeg > MAX_BYTES:
                return None
            fields: dict[str, Any] = json.loads(await self._process.stdout.readexactly(head))
            return fields, await self._process.stdout.readexactly(jpeg) if jpeg else b""
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def set_rate(self, rate: float) -> None:
        self._write(rate_line(rate))

    @property
    def pid(self) -> int:
        return self._process.pid

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # it has ended; whoever reads will see it
            self._process.stdin.write(line)

    async def stop(self) -> None:
        """Close its input, which asks it to exit; kill it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        drain = asyncio.create_task(self._drain())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self._process.wait()
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        await self._process.wait()
        finally:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
            await end_tasks(drain)

    async def _drain(self) -> None:
        """Read its output away: a full pipe would keep it from exiting."""
        assert self._process.stdout is not None
        with contextlib.suppress(ConnectionError):
            while await self._process.stdout.read(65536):
                pass
