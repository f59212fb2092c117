"""Spotify's Web API through spotipy, its only user. For personal use: Spotify's terms forbid public venues.

Authorization Code with PKCE; the token lies in a file that only its owner reads. Measured facts behind the choices:
with its default session spotipy sleeps for a whole Retry-After, and without a valid token it prompts on standard
input, so the session is our own and the cached token is looked at first.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import requests
import spotipy
from spotipy.cache_handler import CacheFileHandler
from spotipy.oauth2 import SpotifyOauthError, SpotifyPKCE

from services.player.outputs import Outcome, State
from shared.errors import MoodstreamError
from shared.events import Song

log = logging.getLogger("moodstream.player")

SCOPES = "user-modify-playback-state user-read-playback-state"
REQUEST_S = 2.0
COMMAND_S = 3.5
"""A command with all its calls; below the time that a handler has."""
LONGEST_WAIT_S = 86_400.0


class SpotifyOutput:
    """Plays on the account's active device, or wakes the first one that there is."""

    name = "spotify"

    def __init__(
        self, client_id: str, redirect_uri: str, token_file: Path, api_url: str | None = None, login_url: str = ""
    ) -> None:
        token_file.parent.mkdir(parents=True, exist_ok=True)
        token_file.touch(mode=0o600)
        self._cache = CacheFileHandler(cache_path=str(token_file))
        session = requests.Session()
        self._auth = SpotifyPKCE(
            client_id=client_id,
            redirect_uri=redirect_uri,
            scope=SCOPES,
            cache_handler=self._cache,
            open_browser=False,
            requests_timeout=REQUEST_S,
            requests_session=session,
        )
        self._api = spotipy.Spotify(auth_manager=self._auth, requests_timeout=REQUEST_S, requests_session=session)
        if api_url is not None:
            self._api.prefix = api_url
        self._login_url = login_url
        self._login_state = ""
        self._not_before_s = 0.0

    def login_address(self) -> str:
        """Where to send the person who signs in."""
        self._login_state = secrets.token_urlsafe(16)
        return str(self._auth.get_authorize_url(state=self._login_state))

    async def finish_login(self, code: str, state: str) -> None:
        """Trade the code of Spotify's answer for a token. Raises MoodstreamError when it is refused."""
        if not self._login_state or not secrets.compare_digest(state.encode(), self._login_state.encode()):
            raise MoodstreamError("this sign-in was not started here, or was used before")
        self._login_state = ""
        try:
            await asyncio.to_thread(self._auth.get_access_token, code, check_cache=False)
        except (SpotifyOauthError, requests.RequestException) as error:
            raise MoodstreamError(f"Spotify refused the sign-in ({type(error).__name__})") from None

    async def check(self) -> Outcome:
        return await self._command(lambda: None, "ready")

    async def play(self, song: Song) -> Outcome:
        uri = song.uri
        if uri is None or not uri.startswith("spotify:track:"):
            return Outcome("unavailable", f"{song.title} has no Spotify address")
        return await self._command(lambda: self._play(uri), "playing")

    async def pause(self) -> Outcome:
        return await self._command(self._api.pause_playback, "paused")

    async def resume(self) -> Outcome:
        return await self._command(self._api.start_playback, "playing")

    def _play(self, uri: str) -> None:
        try:
            self._api.start_playback(uris=[uri])
        except spotipy.SpotifyException as error:
            if error.http_status != 404:
                raise
            devices = self._api.devices()["devices"]  # naming an idle device wakes it
            if not devices:
                raise
            self._api.start_playback(device_id=devices[0]["id"], uris=[uri])

    async def _command(self, call: Callable[[], object], done: State) -> Outcome:
        wait_s = self._not_before_s - time.monotonic()
        if wait_s > 0:
            return Outcome("rate_limited", f"Spotify asks to wait {wait_s:.0f} s more")
        try:
            async with asyncio.timeout(COMMAND_S):
                if not await asyncio.to_thread(self._signed_in):
                    return Outcome("signed_out", f"Sign in to Spotify at {self._login_url}")
                await asyncio.to_thread(call)
        except (TimeoutError, requests.RequestException):
            return Outcome("unavailable", "Spotify does not answer; it is tried again with the next song")
        except SpotifyOauthError:
            return Outcome("signed_out", f"Spotify's permission has ended; sign in again at {self._login_url}")
        except spotipy.SpotifyException as error:
            return self._refused(error)
        return Outcome(done)

    def _signed_in(self) -> bool:
        return self._auth.validate_token(self._cache.get_cached_token()) is not None

    def _refused(self, error: spotipy.SpotifyException) -> Outcome:
        if error.http_status == 429:
            seconds = _retry_after_s(error)
            self._not_before_s = time.monotonic() + seconds
            return Outcome("rate_limited", f"Spotify asks to wait {seconds:.0f} s")
        if error.http_status == 401:
            return Outcome("signed_out", f"Sign in to Spotify again at {self._login_url}")
        if error.http_status == 403:
            return Outcome("unavailable", "Spotify refuses: playing needs a Premium account listed for this app")
        if error.http_status == 404:
            return Outcome("no_device", "Open Spotify on a device of this account")
        return Outcome("unavailable", f"Spotify answers {error.http_status}; it is tried again with the next song")


def _retry_after_s(error: spotipy.SpotifyException) -> float:
    try:
        seconds = float((error.headers or {}).get("Retry-After", 30))
    except ValueError:
        seconds = 30.0
    return min(max(1.0, seconds), LONGEST_WAIT_S)
