"""What an output is, and the two plainest ones."""

import logging
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.events import Song

log = logging.getLogger("moodstream.player")

State = Literal["ready", "playing", "paused", "signed_out", "no_device", "rate_limited", "unavailable"]


@dataclass(frozen=True)
class Outcome:
    """The state after a command, and one sentence on what to do where something is to be done."""

    state: State
    message: str = ""


class Output(Protocol):
    """Plays songs somewhere. Failures are outcomes, never exceptions."""

    name: str

    async def check(self) -> Outcome:
        """Whether it could play now."""
        ...

    async def play(self, song: Song) -> Outcome: ...

    async def pause(self) -> Outcome: ...

    async def resume(self) -> Outcome: ...


class BrowserOutput:
    """The page plays: it follows the playback events."""

    name = "browser"

    async def check(self) -> Outcome:
        return Outcome("ready")

    async def play(self, song: Song) -> Outcome:
        return Outcome("playing")

    async def pause(self) -> Outcome:
        return Outcome("paused")

    async def resume(self) -> Outcome:
        return Outcome("playing")


class LogOutput(BrowserOutput):
    """Plays nothing and writes a line: for developers, and where other software plays."""

    name = "log"

    async def play(self, song: Song) -> Outcome:
        log.info("play %s by %s (%s)", song.title, song.artist, song.uri or song.id)
        return Outcome("playing")
