"""One thread for work that keeps a core busy, such as decoding; a process whose work hangs ends, to be restarted."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.app.watchdog import STUCK_AFTER_S
from shared.exit_codes import EXIT_RESTART

log = logging.getLogger("moodstream.app")

T = TypeVar("T")


class WorkThread:
    """Does one thing at a time: libraries keep memory for each thread, and workers scale by processes."""

    def __init__(self, name: str, exit_process: Callable[[int], object] = os._exit) -> None:
        self._thread, self._exit_process = ThreadPoolExecutor(1, name), exit_process

    async def run(self, what: str, work: Callable[[], T]) -> T | None:
        """What ``work`` returns; None when it hung, and then the process ends. ``what`` begins the line in the log.

        Raises what ``work`` raises.
        """
        try:
            async with asyncio.timeout(STUCK_AFTER_S):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except TimeoutError:
            log.critical("%s has taken %.0f s; exiting to be restarted", what, STUCK_AFTER_S)
            self._exit_process(EXIT_RESTART)  # the thread cannot be ended, and an orderly end would wait for it
            return None
