"""Ending this process so that its supervisor starts it again."""

import asyncio
import os

from shared.app.jobs import RestartWanted

SUPERVISED = "MOODSTREAM_LIFELINE"
"""Set by `moodstream run` for its child, which holds every service."""
ANSWER_S = 0.5
"""The answer to whoever asked leaves first."""


class Upkeep:
    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self.owns_services = SUPERVISED in os.environ
        """whether this process holds all services, under a parent that starts it again"""

    def restart(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        """Raises RestartWanted once it is wanted."""
        await self._wanted.wait()
        await asyncio.sleep(ANSWER_S)
        raise RestartWanted
