"""Who the operator is: whoever knows the token, as the password of ``Basic`` (any name) or as ``Bearer``.

Every browser asks for it by itself, so there is no sign-in page, no cookie and no script. Where there is no token,
only this machine is let in, under a name of its own, and not through a proxy.
"""

import hmac
import ipaddress
import os
import secrets
from base64 import b64decode
from pathlib import Path

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from moodstream.errors import MoodstreamError
from shared.paths import state_home
from shared.settings import Settings
from shared.web.origin import is_foreign
from shared.web.rate_limit import Limits

MIN_LETTERS = 16
GUESSES_A_MINUTE = 10
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Moodstream", charset="UTF-8"'}


class OperatorSettings(Settings):
    """Settings of services with pages for the operator."""

    operator_token: str | None = Field(
        None,
        min_length=MIN_LETTERS,
        repr=False,
        description="Password of the operator's pages; `moodstream run` makes one. Elsewhere, when there is none, only "
        "this machine sees them.",
    )


class Operator:
    """Lets the operator in and nobody else."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._token = settings.operator_token
        self._guesses = Limits(GUESSES_A_MINUTE / 60, GUESSES_A_MINUTE)

    def admit(self, connection: HTTPConnection) -> None:
        """Raises HTTPException for everybody but the operator."""
        if is_foreign(connection):
            raise HTTPException(403, "only pages of this server may do that")
        if self._token is None:
            if not _is_local(connection):
                raise HTTPException(403, "only from this machine itself, unless MOODSTREAM_OPERATOR_TOKEN is set")
            return
        address = connection.client.host if connection.client else ""
        if wait_s := self._guesses.wait_s(address):
            raise HTTPException(429, "too many wrong passwords; try again later", {"Retry-After": f"{wait_s:.0f}"})
        given = _password(connection)
        if not hmac.compare_digest(given.encode(errors="replace"), self._token.encode()):
            if given:  # a browser asks once without a password to learn that it needs one
                self._guesses.take(address)
            raise HTTPException(401, "the operator's token is needed", CHALLENGE)


def kept_token() -> Path:
    """Where ``moodstream run`` keeps the token that it has made."""
    return state_home() / "moodstream" / "operator-token"


def make_token(file: Path) -> str:
    """A new token in a new file that only its owner can read. Raises MoodstreamError."""
    token = secrets.token_urlsafe(18)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(token + "\n")
    except OSError as error:
        raise MoodstreamError(f"{file}: {error.strerror}; set MOODSTREAM_OPERATOR_TOKEN instead") from None
    return token


def _is_local(connection: HTTPConnection) -> bool:
    """Whether it comes from this machine, and was meant for it: a foreign name may be made to point here."""
    if any(name in connection.headers for name in PROXIED):
        return False
    named = connection.url.hostname or ""
    return all(one == "localhost" or _is_loopback(one) for one in (connection.client and connection.client.host, named))


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _password(connection: HTTPConnection) -> str:
    """Of ``Basic``, whatever the name, or the token of ``Bearer``."""
    kind, _, value = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    try:
        return b64decode(value, validate=True).decode().partition(":")[2] if kind.lower() == "basic" else ""
    except ValueError:
        return ""
