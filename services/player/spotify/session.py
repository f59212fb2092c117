"""The HTTP session for all requests to Spotify: it never waits long and never asks before it may.

With its own session spotipy would sleep for a whole Retry-After. What Spotify asks for is kept in a file, so that a
restart does not forget it.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests

from services.player.spotify.breaker import Breaker
from services.player.spotify.json_file import JsonFile

REQUEST_S = 2.0
"""Time-out of connecting, and of every silence while reading."""
COMMAND_S = 4.0
"""A command with all its requests; below what a handler has."""
MAX_WAIT_S = 86_400.0
DEFAULT_WAIT_S = 30.0
"""How long to wait where Spotify does not say."""
QUOTA_WAIT_S = 3_600.0
MAX_BYTES = 2 * 1024 * 1024


class NotNow(requests.RequestException):
    """Nothing may be asked before ``wait_s`` has passed."""

    def __init__(self, reason: str, wait_s: float) -> None:
        super().__init__(reason)
        self.reason, self.wait_s = reason, wait_s


class SpotifySession(requests.Session):
    """A session with a deadline for each command and a circuit breaker; it obeys Retry-After."""

    def __init__(self, file: JsonFile) -> None:
        """``file`` holds how long to wait, over restarts."""
        super().__init__()
        self._file, self._breaker = file, Breaker()
        self._commands = threading.local()
        kept = file.load()
        self._reason = str(kept.get("wait_reason", "rate_limited"))
        self._free_s = time.monotonic() + _remaining_wait_s(kept)

    @contextlib.contextmanager
    def command(self) -> Iterator[None]:
        """All requests of this thread within end in time; a command that was given up sends nothing more."""
        self._commands.deadline_s = time.monotonic() + COMMAND_S
        try:
            yield
        finally:
            self._commands.deadline_s = None

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Raises NotNow, or requests' own errors; an answer to a GET that is not JSON is one, too."""
        if waiting := self.waiting():
            raise waiting
        left_s = self._left_s()
        if left_s <= 0:
            raise requests.Timeout("no time is left")
        kwargs |= {"timeout": min(REQUEST_S, left_s), "allow_redirects": False, "stream": True}
        try:
            with super().request(method, url, *args, **kwargs) as response:
                self._read_body(response)
            if method == "GET" and response.status_code == 200:
                response.json()
        except requests.RequestException:
            self._breaker.failed()
            raise
        if response.status_code >= 500:
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        self._note_wait(response)
        return response

    def waiting(self) -> NotNow | None:
        """Why and for how long nothing may be asked, if so."""
        rest_s = self._free_s - time.monotonic()
        if rest_s > 0:
            return NotNow(self._reason, rest_s)
        return NotNow("unavailable", self._breaker.wait_s) if self._breaker.wait_s > 0 else None

    def _left_s(self) -> float:
        deadline_s: float | None = getattr(self._commands, "deadline_s", None)
        return REQUEST_S if deadline_s is None else deadline_s - time.monotonic()

    def _read_body(self, response: requests.Response) -> None:
        """Raises requests.Timeout when the body is too long or comes too slowly."""
        body = bytearray()
        for chunk in response.iter_content(65_536):
            body += chunk
            if len(body) > MAX_BYTES or self._left_s() <= 0:
                raise requests.Timeout("the answer does not end")
        response._content = bytes(body)  # where requests itself keeps a body that was read

    def _note_wait(self, response: requests.Response) -> None:
        """Wait as long as the answer asks for, if it does."""
        quota = "QUOTA_EXCEEDED" in response.text[:2_000] and response.status_code in (403, 429)
        if response.status_code != 429 and not quota:
            return
        self._reason = "quota_exceeded" if quota else "rate_limited"
        wait_s = _retry_after_s(response.headers.get("Retry-After"), QUOTA_WAIT_S if quota else DEFAULT_WAIT_S)
        self._free_s = time.monotonic() + wait_s
        with contextlib.suppress(OSError):  # a full disk must not stop the music
            self._file.update(wait_until=time.time() + wait_s, wait_s=wait_s, wait_reason=self._reason)


def _retry_after_s(header: str | None, default_s: float) -> float:
    try:
        wait_s = float(header or "")
    except ValueError:
        wait_s = default_s
    return min(max(1.0, wait_s), MAX_WAIT_S)


def _remaining_wait_s(kept: dict[str, Any]) -> float:
    """What is left of a wait before the restart: never more than was asked for, whatever the clock says."""
    try:
        return max(0.0, min(float(kept["wait_until"]) - time.time(), float(kept["wait_s"])))
    except (KeyError, TypeError, ValueError):
        return 0.0
