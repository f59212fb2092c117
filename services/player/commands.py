"""What the command line asks of players: of the one that runs, or of an output of its own."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from moodstream.contracts.events import Song
from moodstream.errors import MoodstreamError
from services.player.main import PlayerSettings, create_output
from services.player.outputs import Device, Outcome
from shared.app.service import create_bus
from shared.settings import Settings, load

PATIENCE_S = 6.0


def ask(redis_url: str, kind: str, body: dict[str, JsonValue]) -> Any:
    """The answer of the player that runs. Raises MoodstreamError."""

    async def asked() -> Any:
        bus = create_bus(load(Settings, redis_url=redis_url))
        await bus.connect()
        try:
            reply = await bus.ask(kind, body, PATIENCE_S)
        except TimeoutError:
            raise MoodstreamError("the player does not answer") from None
        finally:
            await bus.close()
        if reply.error:
            raise MoodstreamError(reply.error)
        return reply.result

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
            devices = await output.devices()
            return Trial(output.name, outcome, devices, [(song, await output.find(song)) for song in songs])
        finally:
            await output.close()

    return asyncio.run(tried())
