"""From rankings to playback, and the commands of the page."""

import logging
from typing import Any

from faststream.redis import RedisRouter
from pydantic import JsonValue

from services.player.outputs import Outcome, Output
from services.player.queue import Queue
from shared.bus import Bus
from shared.delivery import answer_requests, consume
from shared.errors import MoodstreamError
from shared.events import PlaybackChanged, Song, SongsRanked

log = logging.getLogger("moodstream.player")


def create_router(bus: Bus, output: Output) -> RedisRouter:
    """The router of the player: the newest ranking plays; requests ``player.command`` pause, resume, go on."""
    router, queue = RedisRouter(), Queue()

    @consume(router, bus, SongsRanked, "player")
    async def play_best(ranked: SongsRanked) -> None:
        song = queue.replace(ranked.play, ranked.at)
        if song is None:
            log.info("a ranking that is older than the one that plays was ignored")
            return
        outcome = await output.play(song)
        await bus.publish(PlaybackChanged.following(ranked, **playback(output, outcome, song)))

    async def command(body: dict[str, JsonValue]) -> JsonValue:
        outcome = await _obey(output, queue, body.get("command"))
        changed = PlaybackChanged(**playback(output, outcome, queue.current))
        await bus.publish(changed)
        return changed.model_dump(mode="json")

    answer_requests(router, bus, "player", {"player.command": command})
    return router


async def _obey(output: Output, queue: Queue, command: JsonValue) -> Outcome:
    if command == "pause":
        return await output.pause()
    if command == "resume":
        return await output.resume()
    if command == "next":
        song = queue.next()
        return await output.play(song) if song else Outcome("ready", "No more songs; pick one")
    raise MoodstreamError("command must be pause, resume or next")


def playback(output: Output, outcome: Outcome, song: Song | None) -> dict[str, Any]:
    """The fields of a playback event."""
    shown = song if outcome.state in ("playing", "paused") else None
    return {"state": outcome.state, "output": output.name, "song": shown, "message": outcome.message}
