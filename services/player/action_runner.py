"""Asks the output for one action, within a deadline."""

import asyncio
import time
from collections.abc import Sequence

from moodstream.contracts.events import Song
from services.player.metrics import Metrics
from services.player.outputs import Outcome, Output
from services.player.programme.actions import Action

ACTION_S = 4.8
"""An action that takes longer is given up; outputs themselves end sooner."""


class ActionRunner:
    """An output that does not answer in time is unavailable."""

    def __init__(self, output: Output, metrics: Metrics) -> None:
        self._output, self._metrics = output, metrics

    async def run(self, action: Action) -> Outcome:
        """Raises MoodstreamError for an action that makes no sense to the output."""
        begun_s = time.perf_counter()
        try:
            async with asyncio.timeout(ACTION_S):
                outcome = await self._ask_output(action)
        except TimeoutError:
            outcome = Outcome("unavailable", f"{self._output.name} does not answer; it is tried again.")
        self._metrics.note_action(action, outcome, time.perf_counter() - begun_s)
        return outcome

    async def find_playing(self, songs: Sequence[Song]) -> Outcome | None:
        """What the output does, if it plays one of these songs already."""
        try:
            async with asyncio.timeout(ACTION_S):
                return await self._output.already_playing(songs)
        except TimeoutError:
            return None

    async def _ask_output(self, action: Action) -> Outcome:
        match action.kind:
            case "play":
                return await self._output.play(action.songs)
            case "pause":
                return await self._output.pause()
            case "resume":
                return await self._output.resume()
            case "stop":
                return await self._output.stop()
            case "volume":
                return await self._output.set_volume(action.volume)
            case "transfer":
                return await self._output.transfer(action.device)
            case "check":
                return await self._output.check()
