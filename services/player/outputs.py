"""What an output is, what it may answer, and the two plainest ones. Pure."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from moodstream.contracts.events import PlaybackState, Song
from moodstream.errors import MoodstreamError

log = logging.getLogger("moodstream.player")

FADE_OUT = (0.7, 0.45, 0.25, 0.1)
"""Shares of the volume by which music fades out at a stop, one after another."""
FADE_STEP_S = 0.3

WORKS: frozenset[PlaybackState] = frozenset({"ready", "playing", "paused"})
LASTING: frozenset[PlaybackState] = frozenset({"signed_out", "needs_reauthorization", "premium_required"})
"""States that only a person can end: what failed of them is not tried again by itself."""

ADVICE: Mapping[PlaybackState, str] = {
    "ready": "",
    "playing": "",
    "paused": "",
    "signed_out": "Sign in to the music service.",
    "needs_reauthorization": "The permission has ended; sign in to the music service again.",
    "no_device": "Open the music app on one of your devices.",
    "rate_limited": "Nothing to do: the music service asks for a pause.",
    "quota_exceeded": "The app's quota at the music service is used up; wait, or ask for more there.",
    "premium_required": "Playing needs a Premium account that is listed for this app.",
    "unavailable": "Nothing to do: it is tried again.",
}


@dataclass(frozen=True)
class Outcome:
    """The state after an action or a check, with one sentence on what to do where something is to be done."""

    state: PlaybackState
    message: str = ""
    song: Song | None = None
    """what plays, where the output can tell"""
    device: str | None = None
    volume: int | None = None
    """percent"""
    until: datetime | None = None
    wait_s: float | None = None
    """nothing is asked of the output before this has passed"""
    skip: bool = False
    """only this song cannot be played; the next one may"""

    @property
    def advice(self) -> str:
        return self.message or ADVICE[self.state]


@dataclass(frozen=True)
class Device:
    """Something that an output can play on."""

    id: str
    name: str
    active: bool


class Output(Protocol):
    """Plays songs somewhere. Failures are outcomes; only what a person asked for wrongly raises MoodstreamError.

    Every call ends within five seconds.
    """

    name: str
    check_every_s: float | None
    """how often it is checked; None where there is nothing to see"""

    async def check(self) -> Outcome:
        """What it does now, or why it could not play."""
        ...

    async def play(self, songs: Sequence[Song]) -> Outcome:
        """Play the first, then those after it as far as the output can by itself."""
        ...

    async def already_playing(self, songs: Sequence[Song]) -> Outcome | None:
        """What it does, if it is one of these songs that plays already; else None. Asked by a new process."""
        ...

    async def pause(self) -> Outcome: ...

    async def resume(self) -> Outcome: ...

    async def stop(self) -> Outcome:
        """The music fades out, and its songs are forgotten; the volume stays what it was."""
        ...

    async def set_volume(self, percent: int) -> Outcome: ...

    async def list_devices(self) -> list[Device]: ...

    async def transfer(self, device: str) -> Outcome:
        """Play on this device, by name or id, from now on. Raises MoodstreamError when there is none."""
        ...

    async def find_song(self, song: Song) -> str | None:
        """Where the output finds this song, or None."""
        ...

    async def close(self) -> None: ...


class BrowserOutput:
    """The page plays: it follows the playback events."""

    name = "browser"
    check_every_s: float | None = None

    def __init__(self) -> None:
        self._now = Outcome("ready")

    async def check(self) -> Outcome:
        return self._now

    async def play(self, songs: Sequence[Song]) -> Outcome:
        return self._set(Outcome("playing", song=songs[0], volume=self._now.volume))

    async def already_playing(self, songs: Sequence[Song]) -> Outcome | None:
        return None  # what it does is told by the event, whose id is the same the second time

    async def pause(self) -> Outcome:
        return self._set(Outcome("paused", song=self._now.song, volume=self._now.volume))

    async def resume(self) -> Outcome:
        return self._set(Outcome("playing", song=self._now.song, volume=self._now.volume))

    async def stop(self) -> Outcome:
        return self._set(Outcome("ready", volume=self._now.volume))  # the page fades whatever it does not play any more

    async def set_volume(self, percent: int) -> Outcome:
        return self._set(Outcome(self._now.state, song=self._now.song, volume=percent))

    async def list_devices(self) -> list[Device]:
        return []

    async def transfer(self, device: str) -> Outcome:
        raise MoodstreamError(f"the player {self.name} has no devices to choose from")

    async def find_song(self, song: Song) -> str | None:
        return song.uri or "the house's own music"

    async def close(self) -> None:
        """Nothing is open."""

    def _set(self, outcome: Outcome) -> Outcome:
        self._now = outcome
        return outcome


class HouseOutput(BrowserOutput):
    """The page plays what any venue may: files of its own and the house's music, never a music service."""

    name = "house"


class LogOutput(BrowserOutput):
    """Plays nothing and writes a line: for developers, and where other software plays."""

    name = "log"

    async def play(self, songs: Sequence[Song]) -> Outcome:
        log.info("play %s by %s (%s)", songs[0].title, songs[0].artist, songs[0].uri or songs[0].id)
        return await super().play(songs)
