"""What the command line asks of players: of the one that runs, or of an output of its own."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from moodstream.contracts.events import Song
from moodstream.contracts.requests import Request
from moodstream.errors import MoodstreamError, NoAnswer
from services.player.main import PlayerSettings, create_output
from services.player.outputs import Device, Outcome
from shared.app.service import create_bus
from shared.settings import Settings, load

PATIENCE_S = 6.0

R = TypeVar("R", bound=BaseModel)


def ask(redis_url: str, request: Request[R]) -> R:
    """The answer of the player that runs. Raises MoodstreamError."""

    async def asked() -> R:
        bus = create_bus(load(Settings, redis_url=redis_url))
        await bus.connect()
        try:
            return await bus.ask(request, PATIENCE_S)
        except NoAnswer:
            raise MoodstreamError("the player does not answer") from None
        finally:
            await bus.close()

    return asyncio.run(asked())


@dataclass(frozen=True)
class Trial:
    """What an output says of itself."""

    name: str
    outcome: Outcome
    devices: list[Device]
    found: list[tuple[Song, str | None]]


def try_output(settings: PlayerSettings, songs: Iterable[Song]) -> Trial:
    """Look at the output of the settings, and for these songs in it; nothing is played. Raises MoodstreamError."""

    async def tried() -> Trial:
        output = create_output(settings)
        try:
            outcome = await output.check()
            if outcome.state not in ("ready", "playing", "paused"):
                return Trial(output.name, outcome, [], [])
            devices = await output.list_devices()
            return Trial(output.name, outcome, devices, [(song, await output.find_song(song)) for song in songs])
        finally:
            await output.close()

    return asyncio.run(tried())
