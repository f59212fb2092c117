"""Music Player Daemon through python-mpd2, its only user; it drives Mopidy, too. Works in public and without a network.

One connection, made anew when it is gone. Its calls block, with time-outs, and so run in a thread.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote

from mpd import CommandError, FailureResponseCode, MPDClient, MPDError

from moodstream.contracts.events import PlaybackState, Song
from moodstream.errors import MoodstreamError
from moodstream.host_names import can_be_host
from services.player.mpd_names import MOPIDYS, ends_of, is_of, may_be, searches
from services.player.outputs import FADE_OUT, FADE_STEP_S, Device, Outcome
from shared.song_names import every_form

ANSWER_S = 2.0
ACTION_S = 4.5
START_S = 1.0
QUEUED = 10
"""Songs that it is given at once, to go on by itself."""
SEARCHED = 200
NOT_THE_SONG = (FailureResponseCode.PERMISSION, FailureResponseCode.PASSWORD, FailureResponseCode.PLAYLIST_MAX)
"""Refusals that meet every song alike."""
STATES: dict[str, PlaybackState] = {"play": "playing", "pause": "paused", "stop": "ready"}


class MpdOutput:
    """Plays local files, internet radio, and whatever else the daemon has a scheme for."""

    name = "mpd"
    check_every_s: float | None = 2.0

    def __init__(self, address: str, password: str = "", crossfade_s: int = 0) -> None:
        self._host, self._port = _address(address)
        self._shown, self._password, self._crossfade_s = address, password, crossfade_s
        self._client: Any = None
        self._schemes: frozenset[str] = frozenset()
        """what it plays by address: http, spotify and the like"""
        self._limits_searches = True
        self._silent = False
        """whether no output was enabled at the last check"""
        self._songs: dict[str, Song] = {}
        """what was queued, by file"""
        self._lock = threading.Lock()

    async def check(self) -> Outcome:
        return await self._run_command(self._read_status)

    async def play(self, songs: Sequence[Song]) -> Outcome:
        return await self._run_command(lambda: self._play(songs))

    async def already_playing(self, songs: Sequence[Song]) -> Outcome | None:
        outcome = await self._run_command(lambda: self._recognise(songs))
        return outcome if outcome.state == "playing" and outcome.song in songs else None

    async def pause(self) -> Outcome:
        return await self._run_command(lambda: self._call_then_read(lambda: self._client.pause(1)))

    async def resume(self) -> Outcome:
        return await self._run_command(lambda: self._call_then_read(lambda: self._client.play()))

    async def stop(self) -> Outcome:
        return await self._run_command(self._fade_out)

    async def set_volume(self, percent: int) -> Outcome:
        return await self._run_command(lambda: self._set_volume(percent))

    async def list_devices(self) -> list[Device]:
        found: list[Device] = await self._call_in_thread(
            lambda: [Device(one["outputid"], one["outputname"], _is_enabled(one)) for one in self._client.outputs()]
        )
        return found

    async def transfer(self, device: str) -> Outcome:
        return await self._run_command(lambda: self._transfer(device))

    async def find_song(self, song: Song) -> str | None:
        found: str | None = await self._call_in_thread(lambda: self._find_file(song))
        return found

    async def close(self) -> None:
        await asyncio.to_thread(self._disconnect)

    # in a thread, connected

    def _play(self, songs: Sequence[Song]) -> Outcome:
        first = self._find_file(songs[0])
        if first is None:
            return Outcome("unavailable", f"{songs[0].title} is not in MPD's music.", skip=True)
        self._client.clear()
        try:
            self._client.playid(self._client.addid(first))
        except CommandError as error:
            if error.errno in NOT_THE_SONG:
                raise
            return Outcome("unavailable", f"MPD cannot play {first}.", skip=True)
        self._songs = {first: songs[0]}
        self._queue(songs[1:QUEUED])
        outcome = self._read_status()
        deadline_s = time.monotonic() + START_S
        while outcome.state == "ready" and time.monotonic() < deadline_s:  # Mopidy takes a moment to begin
            time.sleep(0.05)
            outcome = self._read_status()
        return outcome if outcome.state != "ready" else Outcome("playing", song=songs[0])

    def _queue(self, songs: Sequence[Song]) -> None:
        """Those that it takes; the first one plays whatever becomes of them."""
        for song in songs:
            file = self._find_file(song)
            if file is None or file in self._songs:
                continue
            try:
                self._client.add(file)
            except CommandError as error:
                if error.errno in NOT_THE_SONG:
                    return
            else:
                self._songs[file] = song

    def _recognise(self, songs: Sequence[Song]) -> Outcome:
        self._songs = {file: song for song in songs[:QUEUED] if (file := self._find_file(song)) is not None}
        return self._read_status()

    def _read_status(self) -> Outcome:
        status = self._client.status()
        state = STATES.get(status.get("state", ""), "ready")
        outputs = self._client.outputs()
        if _is_muted(outputs):
            return Outcome("no_device", "Mopidy is muted; unmute it.", wait_s=2.0)
        enabled = [one["outputname"] for one in outputs if _is_enabled(one)]
        was_silent, self._silent = self._silent, not enabled
        if not enabled:
            return Outcome("no_device", "Enable an output of MPD.", wait_s=2.0)
        if was_silent:  # what it complained about for want of an output, it would go on to say
            _try(self._client.clearerror)
        elif state != "playing" and status.get("error"):
            return Outcome("unavailable", f"MPD says: {status['error']}")
        song = self._songs.get(self._client.currentsong().get("file", "")) if state != "ready" else None
        volume = int(status.get("volume", -1))
        return Outcome(state, song=song, device=", ".join(enabled), volume=volume if volume >= 0 else None)

    def _call_then_read(self, call: Callable[[], object]) -> Outcome:
        call()
        return self._read_status()

    def _fade_out(self) -> Outcome:
        seen = self._read_status()
        fades = seen.state == "playing" and seen.volume is not None
        for share in FADE_OUT if fades else ():
            self._client.setvol(round((seen.volume or 0) * share))
            time.sleep(FADE_STEP_S)
        self._client.stop()
        self._client.clear()
        self._songs = {}
        if fades:
            self._client.setvol(seen.volume)
        return self._read_status()

    def _set_volume(self, percent: int) -> Outcome:
        try:
            self._client.setvol(percent)
        except CommandError:
            seen = self._read_status()
            return Outcome(seen.state, "MPD's output has no volume to set.", seen.song, seen.device, seen.volume)
        return self._read_status()

    def _transfer(self, wanted: str) -> Outcome:
        outputs = self._client.outputs()
        found = [one for one in outputs if wanted in (one["outputid"], one["outputname"])]
        if found and _is_mute_switch(found[0]):
            return self._read_status()
        if not found:
            names = ", ".join(one["outputname"] for one in outputs) or "none at all"
            raise MoodstreamError(f"there is no output {wanted[:80]!r}; there is {names}")
        self._client.enableoutput(found[0]["outputid"])
        for other in outputs:
            if other is not found[0]:
                self._client.disableoutput(other["outputid"])
        return self._read_status()

    def _find_file(self, song: Song) -> str | None:
        """By its address where the daemon knows that, else by title and artist, in tags or in file names."""
        scheme, _, path = (song.uri or "").partition(":")
        if scheme == "file":
            for end in ends_of(path):
                for file in self._files_named(end):
                    found = self._client.find("file", file)
                    if found and (end == path or may_be(song, found[0])):
                        return file
        elif scheme in self._schemes:
            return song.uri
        for tag, text in searches(song):
            for one in self._search(tag, text):
                if is_of(song, one):
                    return str(one["file"])
        return None

    def _files_named(self, path: str) -> Iterator[str]:
        """What the daemon may call a file of its folder; Mopidy knows it by an address of its own."""
        for name in dict.fromkeys(form for one in (path, unquote(path)) for form in every_form(one)):
            relative = name.lstrip("/")
            yield f"{MOPIDYS}{quote(relative)}" if "local" in self._schemes else relative

    def _search(self, tag: str, text: str) -> list[dict[str, Any]]:
        """At most ``SEARCHED`` files; Mopidy cannot limit a search itself."""
        if self._limits_searches:
            try:
                return list(self._client.search(tag, text, "window", f"0:{SEARCHED}"))
            except CommandError:
                self._limits_searches = False
        return list(self._client.search(tag, text))[:SEARCHED]

    # around all of them

    async def _run_command(self, call: Callable[[], Outcome]) -> Outcome:
        try:
            async with asyncio.timeout(ACTION_S):
                return await asyncio.to_thread(self._call_connected, call)
        except _Away as away:
            return Outcome("unavailable", str(away))
        except TimeoutError:
            return Outcome("unavailable", f"MPD at {self._shown} does not answer; it is tried again.")

    async def _call_in_thread(self, call: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(ACTION_S):
                return await asyncio.to_thread(self._call_connected, call)
        except TimeoutError:
            raise MoodstreamError(f"MPD at {self._shown} does not answer") from None

    def _call_connected(self, call: Callable[[], Any]) -> Any:
        """Call with a connection; one that has died in the meantime is replaced once."""
        if not self._lock.acquire(timeout=ANSWER_S):
            raise TimeoutError
        try:
            for fresh in (self._client is None, True):
                try:
                    if self._client is None:
                        self._connect()
                    return call()
                except CommandError as error:
                    raise _Away(f"MPD refuses: {error}") from None
                except (MPDError, OSError, ValueError, KeyError, AttributeError) as error:
                    self._disconnect()
                    if fresh or isinstance(error, TimeoutError):
                        raise _Away(f"MPD at {self._shown} does not answer; start it. It is tried again.") from None
        finally:
            self._lock.release()

    def _connect(self) -> None:
        """A connection that is used must have passed all of this; one that has not is closed."""
        client = MPDClient()
        client.timeout = ANSWER_S
        try:
            client.connect(self._host, self._port)
            if self._password:
                client.password(self._password)
            for mode in (client.random, client.repeat, client.single, client.consume):
                mode(0)
            _try(client.crossfade, self._crossfade_s)
            self._schemes = frozenset(handler.partition(":")[0] for handler in client.urlhandlers())
        except (MPDError, OSError, ValueError):
            client.disconnect()
            raise
        self._client, self._limits_searches = client, True

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()


class _Away(MoodstreamError):
    """The daemon is not there, or does not take the command."""


def _try(command: Callable[..., object], *values: object) -> None:
    """Send a command that not every daemon has: Mopidy has none of these.

    It refuses with an error number that MPD does not have, of which python-mpd2 makes a ValueError.
    """
    with contextlib.suppress(CommandError, ValueError):
        command(*values)


def _is_mute_switch(output: dict[str, str]) -> bool:
    """Mopidy's one output is none: a switch that is on when it is muted. MPD names the plugin of each of its own."""
    return output["outputname"] == "Mute" and "plugin" not in output


def _is_muted(outputs: Sequence[dict[str, str]]) -> bool:
    return any(_is_mute_switch(one) and one["outputenabled"] == "1" for one in outputs)


def _is_enabled(output: dict[str, str]) -> bool:
    return _is_mute_switch(output) or output["outputenabled"] == "1"


def _address(text: str) -> tuple[str, int]:
    """Host and port; a path is a socket. Raises MoodstreamError."""
    if text.startswith(("/", "@")):
        return text, 0
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, "6600"
    host = host.strip("[]")
    if not can_be_host(host) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise MoodstreamError(f"MOODSTREAM_MPD_ADDRESS: {text!r} is neither host:port nor the path of a socket")
    return host, int(port)
