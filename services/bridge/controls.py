"""Commands from outside: the next song, a pause, a mood chosen by hand. What cannot be done is a line in the log."""

import logging
from typing import Any

from moodstream.contracts.moods import MOODS
from moodstream.contracts.requests import ChooseMood, CommandPlayer, Request
from moodstream.errors import MoodstreamError
from services.bridge.rate_limited_log import RateLimitedLog
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS
from shared.contracts.site_state import SiteState

log = logging.getLogger("moodstream.bridge")

USUAL_PERCENT = 50
"""The volume after a mute, where the one before it is not known."""

PLAYER_COMMANDS = ("next", "pause", "resume", "toggle", "mute")


class Controls:
    """Asks the services that can do it."""

    def __init__(self, bus: Bus, state: SiteState) -> None:
        self._bus, self._state = bus, state
        self._log = RateLimitedLog(log)

    async def command_player(self, command: str) -> None:
        """One of ``PLAYER_COMMANDS``; ``toggle`` pauses or resumes, ``mute`` silences or restores the volume."""
        command = _bare(command)
        if command not in PLAYER_COMMANDS:
            self._log.warning("a command must be %s, not %r", ", ".join(PLAYER_COMMANDS), command[:50])
            return
        playback = self._state.playback
        if command == "mute":
            is_muted = playback is not None and playback.volume == 0
            percent = (self._state.volume_before_mute or USUAL_PERCENT) if is_muted else 0
            await self._ask(CommandPlayer(command="volume", percent=percent))
            return
        if command == "toggle":
            command = "resume" if playback is not None and playback.state == "paused" else "pause"
        await self._ask(CommandPlayer.of({"command": command}))

    async def choose_mood(self, mood: str, camera_id: str | None = None) -> None:
        """One of the four moods, at the camera of the settings unless one is named."""
        mood = _bare(mood)
        if mood not in tuple(MOODS):
            self._log.warning("a mood must be %s, not %r", ", ".join(MOODS), mood[:50])
            return
        wanted = camera_id or self._state.camera_id
        if not self._state.knows(wanted):
            self._log.warning("there is no camera %r", wanted[:50])
            return
        await self._ask(ChooseMood.of({"camera_id": wanted, "mood": mood}))

    async def _ask(self, request: Request[Any]) -> None:
        try:
            await self._bus.ask(request)
        except MoodstreamError as error:
            self._log.warning("%s: %s", request.KIND, error)
        except REDIS_ERRORS as error:
            self._log.warning("%s failed because Redis is away: %s", request.KIND, error)


def _bare(text: str) -> str:
    """A word as people, buttons and shells send it: ``Happy``, ``"happy"``, ``happy`` and the end of a line."""
    return text.strip().strip("\"'").casefold()
