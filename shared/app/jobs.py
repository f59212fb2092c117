"""Jobs of a process, run side by side: the first that fails ends the others."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.tasks import end_tasks

Job = Callable[[], Awaitable[None]]

SHUTDOWN_TIMEOUT_S = 9.5
"""A process ends within ten seconds after it was asked to."""


class RestartWanted(Exception):
    """Raised by a job: the process ends in good order, and whoever supervises it starts it again."""


class Jobs:
    """The jobs that run now."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, *jobs: Job) -> None:
        """Run jobs until all are done; when one raises, the others are cancelled first."""
        self._tasks = [asyncio.create_task(_call(job), name=getattr(job, "__qualname__", repr(job))) for job in jobs]
        try:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await end_tasks(*self._tasks, within_s=SHUTDOWN_TIMEOUT_S)

    def unfinished(self) -> list[str]:
        """Names of the jobs that have not ended."""
        return sorted({task.get_name() for task in self._tasks if not task.done()})


def root_cause(error: BaseException) -> BaseException:
    """What a job with jobs of its own failed of."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _call(job: Job) -> None:
    await job()
