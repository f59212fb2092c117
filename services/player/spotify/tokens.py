"""The token file, and what keeps tokens out of the log."""

import logging
import re
from typing import Any

from spotipy.cache_handler import CacheHandler

from services.player.spotify.json_file import JsonFile

SCOPES = "user-modify-playback-state user-read-playback-state"
"""The rights that the player asks for."""

_SECRET = re.compile(r"(Bearer |access_token|refresh_token|code_verifier|'code'|code=)([\"': =]*)[^\s\"',&}]+")


class Tokens(CacheHandler):  # type: ignore[misc]
    """spotipy's token with the app it is for, the day of the consent, and whether it is dead."""

    def __init__(self, file: JsonFile, client_id: str) -> None:
        self.file, self._client_id = file, client_id

    def get_cached_token(self) -> dict[str, Any] | None:
        found = self.file.load()
        fits = found.get("client_id", self._client_id) == self._client_id
        whole = all(found.get(name) for name in ("access_token", "refresh_token", "expires_at", "scope"))
        # of one that gives too few rights, Spotify would say so in a sentence alone
        enough = set(SCOPES.split()) <= set(str(found.get("scope")).split())
        return found if fits and whole and enough and not found.get("dead") else None

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        before = self.file.load()
        kept = {name: before[name] for name in ("consented_at", "refresh_token", "scope") if name in before}
        self.file.save(kept | token_info | {"client_id": self._client_id})


class Redaction(logging.Filter):
    """spotipy's debugging lines print tokens; its errors are outcomes here, which say more."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _SECRET.sub(r"\1\2[secret]", record.getMessage()), ()
        return record.levelno < logging.ERROR


_REDACTION = Redaction()


def redact_logs() -> None:
    """No line of spotipy's in the log holds a token from now on."""
    for name in ("spotipy.client", "spotipy.oauth2"):
        logging.getLogger(name).addFilter(_REDACTION)
