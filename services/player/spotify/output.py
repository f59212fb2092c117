"""Spotify's Web API through spotipy. For personal use: its terms forbid public venues.

What can go wrong and what is done then stands in ``_run_command`` and ``failures``; how long anything takes, and when
nothing may be asked, in ``session``; signing in, in ``login``.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import requests
import spotipy

from moodstream.contracts.events import PlaybackState, Song
from moodstream.errors import MoodstreamError
from services.player.outputs import FADE_OUT, FADE_STEP_S, WORKS, Device, Outcome
from services.player.spotify.devices import Devices
from services.player.spotify.failures import (
    DeviceRefuses,
    is_already_so,
    is_restriction,
    lacks_device,
    outcome_of_refusal,
    outcome_of_wait,
)
from services.player.spotify.login import ConsentEnded, SignedOut, SpotifyLogin
from services.player.spotify.session import COMMAND_S, NotNow
from services.player.spotify.song_uris import SongUris

SENT = 20
"""Songs that Spotify is given at once, to go on by itself."""


class SpotifyOutput:
    """Plays on the device that was chosen, the active one, or wakes the first one that there is."""

    name = "spotify"
    check_every_s: float | None = 10.0

    def __init__(self, login: SpotifyLogin, api_url: str, app: Sequence[str] = ()) -> None:
        """``app`` is the command that opens Spotify on this machine."""
        self.login = login
        self._api = spotipy.Spotify(requests_session=login.session)
        self._api.prefix = api_url.rstrip("/") + "/"
        self._devices = Devices(self._api, login.state_file, app)
        self._uris = SongUris(self._api)
        self._sent: dict[str, Song] = {}
        """the songs that Spotify was given, by address"""
        self._refused_uri: str | None = None
        """the song that was refused last, when Spotify could not say whether it can be played here"""
        self._now = Outcome("ready")

    async def check(self) -> Outcome:
        return await self._run_command(self._read_playback)

    async def play(self, songs: Sequence[Song]) -> Outcome:
        return await self._run_command(lambda: self._play(songs), songs[0])

    async def already_playing(self, songs: Sequence[Song]) -> Outcome | None:
        outcome = await self._run_command(lambda: self._recognise(songs))
        return outcome if outcome.state == "playing" and outcome.song in songs else None

    async def pause(self) -> Outcome:
        return await self._run_command(lambda: self._switch(self._api.pause_playback, "paused"))

    async def resume(self) -> Outcome:
        return await self._run_command(lambda: self._switch(self._resume, "playing"))

    async def stop(self) -> Outcome:
        return await self._run_command(self._fade_out)

    async def set_volume(self, percent: int) -> Outcome:
        return await self._run_command(lambda: self._set_volume(percent))

    async def list_devices(self) -> list[Device]:
        found: list[Device] = []

        def collect() -> Outcome:
            usable = self._devices.list_usable()
            found.extend(Device(one["id"], one["name"], bool(one.get("is_active"))) for one in usable)
            return Outcome("ready") if found else Outcome("no_device")

        outcome = await self._run_command(collect)
        if not found and outcome.state not in ("ready", "no_device"):
            raise MoodstreamError(outcome.advice)
        return found

    async def transfer(self, device: str) -> Outcome:
        return await self._run_command(lambda: self._transfer(device))

    async def find_song(self, song: Song) -> str | None:
        found: list[str | None] = []

        def search() -> Outcome:
            found.append(self._uris.find_uri(song))
            return self._now if self._now.state in ("playing", "paused") else Outcome("ready")

        outcome = await self._run_command(search)
        if outcome.state not in WORKS:
            raise MoodstreamError(outcome.advice)
        return found[-1]

    async def close(self) -> None:
        await asyncio.to_thread(self.login.session.close)

    # in a thread

    def _play(self, songs: Sequence[Song]) -> Outcome:
        first = self._uris.find_uri(songs[0])
        if first is None:
            return Outcome("unavailable", f"{songs[0].title} was not found on Spotify.", skip=True)
        self._remember_sent(first, songs)
        try:
            device = self._start(self._devices.chosen_id, uris=list(self._sent))
        except spotipy.SpotifyException as error:
            if not is_restriction(error) or not self._refuses_every_song(first):
                raise
            device = self._start_after_transfer()
        self._refused_uri = None
        return Outcome("playing", song=songs[0], device=device or self._now.device, volume=self._now.volume)

    def _recognise(self, songs: Sequence[Song]) -> Outcome:
        self._remember_sent(self._uris.find_uri(songs[0]), songs)
        return self._read_playback()

    def _remember_sent(self, first_uri: str | None, songs: Sequence[Song]) -> None:
        self._sent = {first_uri: songs[0]} if first_uri else {}
        for song in songs[1:SENT]:
            uri = self._uris.known_uri(song)
            if uri:
                self._sent.setdefault(uri, song)

    def _start(self, device_id: str | None, **what: Any) -> str | None:
        """Play on the device, or on whatever wakes when it is named; gives that one's name."""
        try:
            self._api.start_playback(device_id=device_id, **what)
            return None
        except spotipy.SpotifyException as error:
            other = self._devices.find_best() if lacks_device(error) else None
            if other is None:
                raise
        self._api.start_playback(device_id=other["id"], **what)
        return str(other.get("name"))

    def _refuses_every_song(self, uri: str) -> bool:
        """Whether a refusal is the device's and not the song's: Spotify gives the same code for both.

        It also knows which songs can be played here. Where it does not say, two different songs in a row decide.
        """
        before, self._refused_uri = self._refused_uri, None
        try:
            playable = self._api.track(uri, market="from_token").get("is_playable")
        except spotipy.SpotifyException as error:
            if error.http_status not in (400, 404):
                raise
            playable = None
        if playable is None:
            self._refused_uri = uri
            return before not in (None, uri)
        return bool(playable)

    def _start_after_transfer(self) -> str:
        """Hand the playback over to the device, which frees one that is stuck. Raises DeviceRefuses."""
        device = self._devices.find_best()
        if device is None:
            raise DeviceRefuses("The device")
        try:
            self._api.transfer_playback(device["id"], force_play=False)
            self._api.start_playback(device_id=device["id"], uris=list(self._sent))
        except spotipy.SpotifyException as error:
            if is_restriction(error):
                raise DeviceRefuses(str(device["name"])) from None
            raise
        return str(device["name"])

    def _resume(self) -> None:
        self._start(None)

    def _switch(self, call: Callable[[], object], state: PlaybackState) -> Outcome:
        try:
            call()
        except spotipy.SpotifyException as error:
            if not is_already_so(error):
                raise
        return Outcome(state, song=self._now.song, device=self._now.device, volume=self._now.volume)

    def _fade_out(self) -> Outcome:
        volume = self._now.volume if self._now.state == "playing" else None
        fades = volume is not None and self._turn_down(volume)
        self._switch(self._api.pause_playback, "paused")
        self._sent = {}
        if fades:
            self._api.volume(volume)
        return Outcome("ready", device=self._now.device, volume=volume)

    def _turn_down(self, volume: int) -> bool:
        """False for a device that has no volume to turn; two steps, since each is a request that counts."""
        try:
            for share in FADE_OUT[1::2]:
                self._api.volume(round(volume * share))
                time.sleep(FADE_STEP_S)
        except spotipy.SpotifyException as error:
            if not is_already_so(error):
                raise
            return False
        return True

    def _set_volume(self, percent: int) -> Outcome:
        message = ""
        try:
            self._api.volume(percent)
        except spotipy.SpotifyException as error:
            if not is_already_so(error):
                raise
            message, percent = "This device cannot be turned up or down from here.", self._now.volume or percent
        return Outcome(self._now.state, message, self._now.song, self._now.device, percent)

    def _transfer(self, wanted: str) -> Outcome:
        device = self._devices.transfer(wanted, play=self._now.state == "playing")
        volume = device.get("volume_percent")
        return Outcome(self._now.state, song=self._now.song, device=device["name"], volume=volume)

    def _read_playback(self) -> Outcome:
        found = self._api.current_playback()
        if not found or not found.get("device"):
            return Outcome("ready") if self._devices.list_usable() else self._devices.open_app()
        device, item = found["device"], found.get("item") or {}
        original = item.get("linked_from") or {}
        song = self._sent.get(item.get("uri", "")) or self._sent.get(original.get("uri", ""))
        state: PlaybackState = "playing" if found.get("is_playing") else "paused" if item else "ready"
        return Outcome(state, song=song, device=device.get("name"), volume=device.get("volume_percent"))

    # around all of them

    async def _run_command(self, call: Callable[[], Outcome], song: Song | None = None) -> Outcome:
        """``song`` is the one that the call plays: without it, nothing can be skipped."""
        try:
            async with asyncio.timeout(COMMAND_S + 0.5):
                outcome = await asyncio.to_thread(self._call_signed_in, call)
        except ConsentEnded as ended:
            return Outcome("needs_reauthorization", str(ended))
        except SignedOut as nobody:
            return Outcome("signed_out", str(nobody))
        except NotNow as later:
            return outcome_of_wait(later)
        except DeviceRefuses as refusal:
            return Outcome("unavailable", f"{refusal} takes no song; it is tried again. Or choose another device.")
        except spotipy.SpotifyException as error:
            return self._outcome_of(error, song)
        except (TimeoutError, requests.RequestException):
            return Outcome("unavailable", "Spotify does not answer; it is tried again.")
        except (KeyError, TypeError, AttributeError, ValueError):
            return Outcome("unavailable", "Spotify gives an answer that makes no sense; it is tried again.")
        except OSError as fault:
            return Outcome("unavailable", f"The token cannot be kept: {fault.strerror}.")
        if outcome.state in WORKS:
            warning = self.login.consent_warning()
            outcome = Outcome(outcome.state, outcome.message or warning, outcome.song, outcome.device, outcome.volume)
            self._now = outcome
        return outcome

    def _call_signed_in(self, call: Callable[[], Outcome]) -> Outcome:
        """With a valid token; one that Spotify refuses is renewed once."""
        with self.login.session.command():
            token = self.login.access_token()
            self._api.set_auth(token)
            try:
                return call()
            except spotipy.SpotifyException as error:
                if error.http_status != 401:
                    raise
            self._api.set_auth(self.login.renew_token(token))
            try:
                return call()
            except spotipy.SpotifyException as error:
                if error.http_status == 401:
                    self.login.mark_dead()
                raise

    def _outcome_of(self, error: spotipy.SpotifyException, song: Song | None) -> Outcome:
        if waiting := self.login.session.waiting():
            return outcome_of_wait(waiting)
        if lacks_device(error):
            return self._devices.open_app()
        return outcome_of_refusal(error, song, self.login.page)
