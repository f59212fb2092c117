"""Spotify's Web API through spotipy. For personal use: its terms forbid public venues.

What can go wrong and what is done then stands in ``_command`` and ``_refused``; how long anything takes, and when
nothing may be asked, in ``spotify_line``; signing in, in ``spotify_login``.
"""

import asyncio
import contextlib
import shutil
import subprocess
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import requests
import spotipy

from moodstream.contracts.events import Song
from moodstream.errors import MoodstreamError
from services.player.outputs import Device, Outcome
from services.player.programme.matching import same_song
from services.player.spotify.login import ConsentEnded, SignedOut, SpotifyLogin
from services.player.spotify.session import COMMAND_S, NotNow

TRACK = "spotify:track:"
SENT = 20
"""Songs that Spotify is given at once, to go on by itself."""
FOUND_LIMIT = 10
"""Spotify's own limit of a search."""
KNOWN_KEPT = 500
OPEN_AGAIN_S = 60.0
PREMIUM, NO_DEVICE = "PREMIUM_REQUIRED", "NO_ACTIVE_DEVICE"
"""Spotify's codes for what its player refuses; they stand beside its sentences, which are never looked at."""


class SpotifyOutput:
    """Plays on the device that was chosen, the active one, or wakes the first one that there is."""

    name = "spotify"
    check_every_s: float | None = 10.0

    def __init__(self, login: SpotifyLogin, api_url: str, app: Sequence[str] = ()) -> None:
        self.login = login
        self._api = spotipy.Spotify(requests_session=login.line)
        self._api.prefix = api_url.rstrip("/") + "/"
        self._app, self._opened_s = tuple(app), float("-inf")
        self._songs: dict[str, Song] = {}
        """what was sent, by address"""
        self._known: OrderedDict[str, str | None] = OrderedDict()
        """addresses that were searched for, by song id"""
        self._now = Outcome("ready")

    async def check(self) -> Outcome:
        return await self._command(self._look)

    async def play(self, songs: Sequence[Song]) -> Outcome:
        return await self._command(lambda: self._play(songs), songs[0])

    async def plays(self, songs: Sequence[Song]) -> Outcome | None:
        outcome = await self._command(lambda: self._recall(songs))
        return outcome if outcome.state == "playing" and outcome.song in songs else None

    async def pause(self) -> Outcome:
        return await self._command(lambda: self._switch(self._api.pause_playback, Outcome("paused")))

    async def resume(self) -> Outcome:
        return await self._command(lambda: self._switch(self._resume, Outcome("playing")))

    async def set_volume(self, percent: int) -> Outcome:
        return await self._command(lambda: self._set_volume(percent))

    async def devices(self) -> list[Device]:
        found: list[Device] = []
        outcome = await self._command(lambda: self._list(found))
        if not found and outcome.state not in ("ready", "no_device"):
            raise MoodstreamError(outcome.advice)
        return found

    async def transfer(self, device: str) -> Outcome:
        return await self._command(lambda: self._transfer(device))

    async def find(self, song: Song) -> str | None:
        found: list[str] = []
        outcome = await self._command(lambda: self._find_into(song, found))
        if outcome.state not in ("ready", "playing", "paused"):
            raise MoodstreamError(outcome.advice)
        return found[0] if found else None

    async def close(self) -> None:
        await asyncio.to_thread(self.login.line.close)

    # in a thread

    def _play(self, songs: Sequence[Song]) -> Outcome:
        first = self._address(songs[0])
        if first is None:
            return Outcome("unavailable", f"{songs[0].title} was not found on Spotify.", skip=True)
        self._remember(songs, {first: songs[0]})
        chosen = self.login.state.read().get("device", {}).get("id")
        device = self._start(list(self._songs), chosen)
        return Outcome("playing", song=songs[0], device=device or self._now.device, volume=self._now.volume)

    def _recall(self, songs: Sequence[Song]) -> Outcome:
        first = self._address(songs[0])
        self._remember(songs, {first: songs[0]} if first else {})
        return self._look()

    def _remember(self, songs: Sequence[Song], sent: dict[str, Song]) -> None:
        self._songs = sent
        for song in songs[1:SENT]:
            address = song.uri if _is_track(song.uri) else self._known.get(song.id)
            if address:
                self._songs.setdefault(address, song)

    def _start(self, addresses: list[str], device_id: str | None) -> str | None:
        """Play on the device, or on whatever wakes when it is named; gives that one's name."""
        try:
            self._api.start_playback(device_id=device_id, uris=addresses)
            return None
        except spotipy.SpotifyException as error:
            if not _lacks_device(error):
                raise
            other = self._best(self._listed())
            if other is None:
                raise
            self._api.start_playback(device_id=other["id"], uris=addresses)
            return str(other.get("name"))

    def _resume(self) -> None:
        try:
            self._api.start_playback()
        except spotipy.SpotifyException as error:
            other = self._best(self._listed()) if _lacks_device(error) else None
            if other is None:
                raise
            self._api.start_playback(device_id=other["id"])

    def _switch(self, call: Callable[[], object], then: Outcome) -> Outcome:
        try:
            call()
        except spotipy.SpotifyException as error:
            if error.http_status != 403 or _is_permanent(error):
                raise  # what is left is "already so"
        return Outcome(then.state, song=self._now.song, device=self._now.device, volume=self._now.volume)

    def _set_volume(self, percent: int) -> Outcome:
        message = ""
        try:
            self._api.volume(percent)
        except spotipy.SpotifyException as error:
            if error.http_status != 403 or _is_permanent(error):
                raise
            message, percent = "This device cannot be turned up or down from here.", self._now.volume or percent
        return Outcome(self._now.state, message, self._now.song, self._now.device, percent)

    def _list(self, into: list[Device]) -> Outcome:
        into += [Device(one["id"], one["name"], bool(one.get("is_active"))) for one in self._listed()]
        return Outcome("ready") if into else Outcome("no_device")

    def _transfer(self, wanted: str) -> Outcome:
        devices = self._listed()
        found = [one for one in devices if wanted == one["id"] or wanted.casefold() == one["name"].casefold()]
        if not found:
            names = ", ".join(one["name"] for one in devices) or "none at all"
            raise MoodstreamError(f"there is no device {wanted[:80]!r}; there is {names}")
        chosen = found[0]
        self._api.transfer_playback(chosen["id"], force_play=self._now.state == "playing")
        with contextlib.suppress(OSError):
            self.login.state.update(device={"id": chosen["id"], "name": chosen["name"]})
        volume = chosen.get("volume_percent")
        return Outcome(self._now.state, song=self._now.song, device=chosen["name"], volume=volume)

    def _look(self) -> Outcome:
        found = self._api.current_playback()
        if not found or not found.get("device"):
            return Outcome("ready") if self._listed() else self._without_device()
        device, item = found["device"], found.get("item") or {}
        original = item.get("linked_from") or {}
        song = self._songs.get(item.get("uri", "")) or self._songs.get(original.get("uri", ""))
        state = "playing" if found.get("is_playing") else "paused" if item else "ready"
        return Outcome(state, song=song, device=device.get("name"), volume=device.get("volume_percent"))  # type: ignore[arg-type]

    def _listed(self) -> list[dict[str, Any]]:
        found = self._api.devices()["devices"]
        return [one for one in found if one.get("id") and one.get("name") and not one.get("is_restricted")]

    def _best(self, devices: list[dict[str, Any]]) -> dict[str, Any] | None:
        chosen = self.login.state.read().get("device", {})
        order = (
            lambda one: one["id"] == chosen.get("id"),
            lambda one: one["name"] == chosen.get("name"),
            lambda one: bool(one.get("is_active")),
            lambda one: True,
        )
        return next((one for fits in order for one in devices if fits(one)), None)

    def _address(self, song: Song) -> str | None:
        if _is_track(song.uri):
            return song.uri
        if song.id not in self._known:
            self._known[song.id] = self._search(song)
            while len(self._known) > KNOWN_KEPT:
                self._known.popitem(last=False)
        return self._known[song.id]

    def _search(self, song: Song) -> str | None:
        title, artist = (text.replace('"', " ") for text in (song.title, song.artist))
        found = self._api.search(f'track:"{title}" artist:"{artist}"', limit=FOUND_LIMIT, type="track")
        for track in found["tracks"]["items"]:
            names = [artist["name"] for artist in track["artists"]]
            if track.get("is_playable", True) and same_song(song.title, song.artist, track["name"], names):
                return str(track["uri"])
        return None

    def _find_into(self, song: Song, into: list[str]) -> Outcome:
        address = self._address(song)
        into += [address] if address else []
        return self._now if self._now.state in ("playing", "paused") else Outcome("ready")

    def _without_device(self) -> Outcome:
        """Where Spotify's own app is on this machine, it is opened."""
        program = shutil.which(self._app[0]) if self._app else None
        if program is None:
            return Outcome("no_device", "Open Spotify on a device of this account.", wait_s=5.0)
        if time.monotonic() - self._opened_s > OPEN_AGAIN_S:
            self._opened_s = time.monotonic()
            silent = subprocess.DEVNULL
            command = [program, *self._app[1:]]
            app = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
            threading.Thread(target=app.wait, daemon=True).start()
        return Outcome("no_device", "Spotify is being opened on this machine.", wait_s=2.0)

    # around all of them

    async def _command(self, call: Callable[[], Outcome], song: Song | None = None) -> Outcome:
        try:
            async with asyncio.timeout(COMMAND_S + 0.5):
                outcome = await asyncio.to_thread(self._signed_in, call)
        except ConsentEnded as ended:
            return Outcome("needs_reauthorization", str(ended))
        except SignedOut as nobody:
            return Outcome("signed_out", str(nobody))
        except NotNow as later:
            return _not_now(later)
        except spotipy.SpotifyException as error:
            return self._refused(error, song)
        except (TimeoutError, requests.RequestException):
            return Outcome("unavailable", "Spotify does not answer; it is tried again.")
        except (KeyError, TypeError, AttributeError, ValueError):
            return Outcome("unavailable", "Spotify gives an answer that makes no sense; it is tried again.")
        except OSError as fault:
            return Outcome("unavailable", f"The token cannot be kept: {fault.strerror}.")
        if outcome.state in ("ready", "playing", "paused"):
            warning = self.login.warning()
            outcome = Outcome(outcome.state, outcome.message or warning, outcome.song, outcome.device, outcome.volume)
            self._now = outcome
        return outcome

    def _signed_in(self, call: Callable[[], Outcome]) -> Outcome:
        """With a valid token; one that Spotify refuses is renewed once."""
        with self.login.line.command():
            token = self.login.access()
            self._api.set_auth(token)
            try:
                return call()
            except spotipy.SpotifyException as error:
                if error.http_status != 401:
                    raise
            self._api.set_auth(self.login.renew(token))
            try:
                return call()
            except spotipy.SpotifyException as error:
                if error.http_status == 401:
                    self.login.forget_access()
                raise

    def _refused(self, error: spotipy.SpotifyException, song: Song | None) -> Outcome:
        status = error.http_status
        if waiting := self.login.line.waiting():
            return _not_now(waiting)
        if status == 401:
            return Outcome("needs_reauthorization", f"Spotify refuses the sign-in; sign in again at {self.login.page}")
        if _is_permanent(error):
            if error.reason == PREMIUM:
                return Outcome("premium_required", "Playing through Spotify needs a Premium account.")
            text = "This account is not listed for the app: add it in Spotify's developer dashboard."
            return Outcome("premium_required", text)
        if _lacks_device(error):
            return self._without_device()
        if status in (400, 403, 404) and song is not None:
            return Outcome("unavailable", f"{song.title} cannot be played on Spotify here.", skip=True)
        return Outcome("unavailable", f"Spotify answers {status}; it is tried again.")


def _not_now(later: NotNow) -> Outcome:
    until = datetime.now().astimezone() + timedelta(seconds=later.wait_s)
    if later.reason == "rate_limited":
        return Outcome(
            "rate_limited", f"Spotify asks to wait until {until:%H:%M:%S}.", until=until, wait_s=later.wait_s
        )
    if later.reason == "quota_exceeded":
        text = f"The app's quota at Spotify is used up; it is tried again at {until:%H:%M}."
        return Outcome("quota_exceeded", text, until=until, wait_s=later.wait_s)
    return Outcome("unavailable", "Spotify does not answer; it is tried again.", wait_s=later.wait_s)


def _is_track(address: str | None) -> bool:
    return address is not None and address.startswith(TRACK)


def _lacks_device(error: spotipy.SpotifyException) -> bool:
    """Whether none is active, or the named one is gone, for which Spotify has no code."""
    return error.http_status == 404 and (not error.reason or error.reason == NO_DEVICE)


def _is_permanent(error: spotipy.SpotifyException) -> bool:
    """Whether no other song and no other moment would help.

    What the player refuses has a code. Without one the account itself is refused: the app does not list it.
    """
    return error.http_status == 403 and (not error.reason or error.reason == PREMIUM)
