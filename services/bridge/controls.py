"""Commands from outside: the next song, a pause, a mood chosen by hand. Whoever gives them gets a line in the log."""

import logging
from typing import Any

from moodstream.contracts.moods import MOODS
from moodstream.contracts.requests import ChooseMood, CommandPlayer, Request
from moodstream.errors import MoodstreamError
from services.bridge.present import Present
from services.bridge.rate_limited_log import Seldom
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS

log = logging.getLogger("moodstream.bridge")

USUAL_PERCENT = 50
"""The volume after a mute that this process did not see begin."""

PLAYER = ("next", "pause", "resume", "toggle", "mute")
"""What may be asked of the player."""


class Controls:
    """Asks the services that can do it."""

    def __init__(self, bus: Bus, present: Present, camera_id: str) -> None:
        self._bus, self._present, self._camera_id = bus, present, camera_id
        self._say = Seldom(log)
        self._loud_percent = USUAL_PERCENT

    async def player(self, command: str) -> None:
        """One of ``PLAYER``; ``toggle`` pauses and, given again, resumes, and ``mute`` does so with the sound."""
        if command not in PLAYER:
            self._say.warning("a command must be %s, not %r", ", ".join(PLAYER), command[:50])
            return
        playback = self._present.playback
        if command == "mute":
            volume = playback.volume if playback is not None else None
            if volume:
                self._loud_percent = volume
            percent = self._loud_percent if volume == 0 else 0
            await self._ask(CommandPlayer(command="volume", percent=percent))
            return
        if command == "toggle":
            command = "resume" if playback is not None and playback.state == "paused" else "pause"
        await self._ask(CommandPlayer.of({"command": command}))

    async def force(self, mood: str, camera_id: str | None = None) -> None:
        """One of the four moods, at the camera of the settings unless one is named."""
        if mood not in tuple(MOODS):
            self._say.warning("a mood must be %s, not %r", ", ".join(MOODS), mood[:50])
            return
        await self._ask(ChooseMood.of({"camera_id": camera_id or self._camera_id, "mood": mood}))

    async def _ask(self, request: Request[Any]) -> None:
        try:
            await self._bus.ask(request)
        except MoodstreamError as error:
            self._say.warning("%s: %s", request.KIND, error)
        except REDIS_ERRORS as error:
            self._say.warning("%s failed because Redis is away: %s", request.KIND, error)
