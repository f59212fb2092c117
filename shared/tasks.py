"""Ending tasks for sure, although a library may take a cancellation and go on (``moodstream.cancellation``)."""

import asyncio
import logging
import time
from typing import Any

log = logging.getLogger("moodstream.tasks")

CANCEL_AGAIN_S = 0.5
ENDS_WITHIN_S = 5.0


async def end_tasks(*tasks: "asyncio.Task[Any]", within_s: float = ENDS_WITHIN_S) -> bool:
    """Cancel tasks, again and again until all are done; says whether they are.

    Those that are not done in time are named in the log and left behind: whoever cleans up goes on, and does not hang
    because of them. A cancellation of the caller meanwhile shortens nothing, and is raised afterwards.
    """
    deadline_s, cancelled = time.monotonic() + within_s, None
    while (pending := {task for task in tasks if not task.done()}) and (left_s := deadline_s - time.monotonic()) > 0:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=min(CANCEL_AGAIN_S, left_s))
        except asyncio.CancelledError as error:
            cancelled = error
    if pending:
        names = ", ".join(sorted(_name(task) for task in pending))
        log.error("still running %.1f s after being cancelled; exiting without waiting for: %s", within_s, names)
    if cancelled is not None:
        raise cancelled
    return not pending


def _name(task: "asyncio.Task[Any]") -> str:
    """The name that somebody gave it, else that of its function."""
    name = task.get_name()
    return getattr(task.get_coro(), "__qualname__", name) if name.startswith("Task-") else name
