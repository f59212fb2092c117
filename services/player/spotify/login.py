"""Signing in to Spotify: Authorization Code with PKCE, the token in a file of its owner, the six months of consent.

spotipy would prompt on standard input without a valid token and hang a container, so the token is checked first.
"""

import contextlib
import logging
import re
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from spotipy.oauth2 import SpotifyOauthError, SpotifyPKCE

from moodstream.errors import MoodstreamError
from services.player.spotify.json_file import JsonFile
from services.player.spotify.session import COMMAND_S, SpotifySession
from services.player.spotify.tokens import SCOPES, Tokens, redact_logs
from shared.bounded import Bounded

log = logging.getLogger("moodstream.player")

LOGIN, CALLBACK = "/player/spotify/login", "/player/spotify/callback"
CONSENT = timedelta(days=182)
"""Refresh tokens die six months after the consent (since July 2026)."""
WARN_DAYS = (30, 14, 3)
OPEN_LOGINS = 5


class SignedOut(Exception):
    """Nobody is signed in; the message says what to do."""


class ConsentEnded(SignedOut):
    """The permission has ended, and only a person can give it again."""


class SpotifyLogin:
    """Gives access tokens, and the pages what they need to get one. Its methods block: call them in a thread."""

    def __init__(self, client_id: str, redirect_uri: str, token_file: Path, accounts_url: str) -> None:
        _check_redirect(redirect_uri)
        self.redirect_uri = redirect_uri
        self._client_id, self._accounts_url = client_id, accounts_url.rstrip("/")
        self._token_file = JsonFile(token_file)
        self.state_file = JsonFile(token_file.with_suffix(".state.json"))
        """what is not secret: how long to wait, the device that was chosen"""
        self.session = SpotifySession(self.state_file)
        self._tokens = Tokens(self._token_file, client_id)
        self._lock = threading.Lock()
        self._open: Bounded[str, SpotifyPKCE] = Bounded(OPEN_LOGINS)
        self._warned: int | None = None
        redact_logs()

    @property
    def page(self) -> str:
        """Address of the page on which a person signs in."""
        return self.redirect_uri.removesuffix(CALLBACK) + LOGIN

    def begin(self) -> str:
        """The address to send a person to who signs in."""
        state = secrets.token_urlsafe(16)
        self._open[state] = pkce = self._pkce()
        return str(pkce.get_authorize_url(state=state))

    def finish_pasted(self, address: str) -> None:
        """Finish with the address at which a browser has ended, from wherever. Raises MoodstreamError."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
        if not answer.keys() & {"code", "error"}:
            raise MoodstreamError("that is not the address where the sign-in ended: it contains no code")
        self.finish(answer.get("state", ""), answer.get("code", ""), answer.get("error", ""))

    def finish(self, state: str, code: str, error: str = "") -> None:
        """Trade the code of Spotify's answer for a token. Raises MoodstreamError when it is refused."""
        pkce = self._open.pop(state, None)
        if pkce is None:
            raise MoodstreamError("this sign-in was not started here, or was used before")
        if error or not code:
            said = "was cancelled" if error == "access_denied" else f"failed: {error[:80] or 'there is no code'}"
            raise MoodstreamError(f"the sign-in {said}")
        try:
            with self._locked(), self.session.command():
                pkce.get_access_token(code, check_cache=False)
                self._token_file.update(consented_at=time.time(), dead=False)
        except SpotifyOauthError as refusal:
            raise MoodstreamError(f"Spotify refused the sign-in ({_error_of(refusal)})") from None
        except (requests.RequestException, KeyError, TypeError, ValueError):
            raise MoodstreamError("Spotify sent an unexpected answer; try again in a moment") from None
        except OSError as fault:
            raise MoodstreamError(f"the token file {self._token_file.path}: {fault.strerror}") from None
        self._warned = None

    def keep_token(self, token: dict[str, Any]) -> None:
        """A token that the Accounts service has just given, however it was asked for. Raises OSError."""
        now_s = time.time()
        self._tokens.save_token_to_cache(token | {"expires_at": int(now_s) + int(token["expires_in"])})
        self._token_file.update(consented_at=now_s, dead=False)

    def access_token(self) -> str:
        """A token that is valid now. Raises SignedOut, ConsentEnded, requests' errors."""
        with self._locked():
            token = self._stored_token()
            if token["expires_at"] - time.time() < 60:
                token = self._refresh(token)
            return str(token["access_token"])

    def renew_token(self, refused: str) -> str:
        """Another token than this one, which Spotify has refused before its time."""
        with self._locked():
            token = self._stored_token()
            return str((self._refresh(token) if token["access_token"] == refused else token)["access_token"])

    def mark_dead(self) -> None:
        """Spotify refuses also the new token: only a person helps."""
        with contextlib.suppress(OSError):
            self._token_file.update(dead=True)

    def consent_warning(self) -> str:
        """One sentence when the consent ends soon, else nothing."""
        consented_at = self._token_file.load().get("consented_at")
        if not isinstance(consented_at, int | float):
            return ""
        ends = datetime.fromtimestamp(consented_at, UTC) + CONSENT
        days = (ends - datetime.now(UTC)).days
        step = min((limit for limit in WARN_DAYS if days < limit), default=None)
        if step is None:
            self._warned = None
            return ""
        text = f"Spotify's permission ends on {ends:%Y-%m-%d}; sign in again at {self.page} before."
        if step != self._warned:
            log.warning("%s", text)
            self._warned = step
        return text

    def _stored_token(self) -> dict[str, Any]:
        token = self._tokens.get_cached_token()
        if token is not None:
            return token
        found = self._token_file.load()
        if found.get("client_id", self._client_id) != self._client_id:
            raise SignedOut(f"The token file is of another app; sign in to Spotify at {self.page}")
        if found.get("dead"):
            raise ConsentEnded(f"Spotify's permission has ended; sign in again at {self.page}")
        if self._token_file.fault:
            raise SignedOut(f"The token file {self._token_file.fault}; sign in to Spotify at {self.page}")
        raise SignedOut(f"Sign in to Spotify at {self.page}")

    def _refresh(self, token: dict[str, Any]) -> dict[str, Any]:
        try:
            fresh: dict[str, Any] = self._pkce().refresh_access_token(token["refresh_token"])
        except SpotifyOauthError as refusal:
            reason = _error_of(refusal)
            if reason == "invalid_grant":
                self._token_file.update(dead=True)
                raise ConsentEnded(f"Spotify's permission has ended; sign in again at {self.page}") from None
            if reason in ("invalid_client", "unauthorized_client"):
                raise SignedOut(f"Spotify does not know MOODSTREAM_SPOTIFY_CLIENT_ID ({reason})") from None
            raise requests.ConnectionError(f"no new token: {reason}") from None
        except (KeyError, TypeError, ValueError) as garbage:
            raise requests.ConnectionError("the answer is no token") from garbage
        return fresh

    def _pkce(self) -> SpotifyPKCE:
        pkce = SpotifyPKCE(
            client_id=self._client_id,
            redirect_uri=self.redirect_uri,
            scope=SCOPES,
            cache_handler=self._tokens,
            open_browser=False,
            requests_session=self.session,
        )
        pkce.OAUTH_AUTHORIZE_URL = f"{self._accounts_url}/authorize"
        pkce.OAUTH_TOKEN_URL = f"{self._accounts_url}/api/token"
        return pkce

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One refresh at a time: the second would use a token that the first has used up."""
        if not self._lock.acquire(timeout=COMMAND_S):
            raise requests.Timeout("another request for a token does not end")
        try:
            yield
        finally:
            self._lock.release()


def _error_of(refusal: SpotifyOauthError) -> str:
    """OAuth's own word for it, if it is one: not what a broken proxy says."""
    response = getattr(refusal.__context__, "response", None)
    if response is not None and response.status_code >= 500:
        return f"status {response.status_code}"
    error = str(refusal.error or "")
    return error if re.fullmatch(r"[a-z_]{1,40}", error) else "an answer that makes no sense"


def _check_redirect(address: str) -> None:
    parts = urlsplit(address)
    loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")
    if not (loopback or (parts.scheme == "https" and parts.hostname)):
        raise MoodstreamError(
            "MOODSTREAM_SPOTIFY_REDIRECT_URI: Spotify accepts https://..., or http://127.0.0.1:PORT/... on this machine"
        )
