"""Jobs of a process, run side by side: the first that fails ends the others."""

import asyncio
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]

CANCEL_AGAIN_S = 0.5


class Jobs:
    """The jobs that run now."""

    def __init__(self) -> None:
        self._tasks: list[tuple[str, asyncio.Future[None]]] = []

    async def run(self, *jobs: Job) -> None:
        """Run jobs until all are done; when one raises, the others are cancelled first."""
        self._tasks = [(getattr(job, "__qualname__", repr(job)), asyncio.ensure_future(_call(job))) for job in jobs]
        tasks = {task for _, task in self._tasks}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            # more than once: a library that is cancelled while it mends a connection may lose the cancellation
            while pending := {task for task in tasks if not task.done()}:
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)

    def unfinished(self) -> list[str]:
        """Names of the jobs that have not ended."""
        return sorted({name for name, task in self._tasks if not task.done()})


def root_cause(error: BaseException) -> BaseException:
    """What a job with jobs of its own failed of."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _call(job: Job) -> None:
    await job()
