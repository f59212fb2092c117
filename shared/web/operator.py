"""Who the operator is: whoever knows the token, as the password of ``Basic`` (any name) or as ``Bearer``.

Every browser asks for it by itself, so there is no sign-in page, no cookie and no script. Where there is no token,
only this machine is let in, under a name of its own, and not through a proxy. A second token is for staff, who look
after the site from day to day; the first one is the owner's, who may do everything.
"""

import hmac
import ipaddress
import secrets
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from moodstream.errors import MoodstreamError, SettingError
from shared.files import create_private
from shared.host_names import LOCAL, host_of
from shared.paths import state_home
from shared.settings import Settings
from shared.web.origin import is_foreign
from shared.web.rate_limit import Limits

MIN_LETTERS = 16
MIN_DIFFERENT = 6
GUESSES_A_MINUTE = 10
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Moodstream", charset="UTF-8"'}


EXAMPLES = ("change-me", "changeme", "example", "password", "0123456789")
"""How a token begins that somebody has copied instead of made."""


class OperatorSettings(Settings):
    """Settings of services with pages for the operator."""

    operator_token: str | None = Field(
        None,
        min_length=MIN_LETTERS,
        repr=False,
        description="Password of the operator's pages; `moodstream run` makes one. Without one, services that are "
        "started singly show these pages to this machine only.",
    )

    staff_token: str | None = Field(
        None,
        min_length=MIN_LETTERS,
        repr=False,
        description="Second password of the operator's pages, for staff: they may open and close the site, adjust the "
        "sound, block songs and read everything. The owner's token allows all. Not set: no staff role.",
    )

    @field_validator("operator_token", "staff_token")
    @classmethod
    def _made(cls, token: str | None) -> str | None:
        """Not the example's, nor one that can be guessed; the text never shows it."""
        if token is not None and (token.lower().startswith(EXAMPLES) or len(set(token)) < MIN_DIFFERENT):
            raise ValueError("this is an example's token or can be guessed; make one: openssl rand -base64 24")
        return token


@dataclass(frozen=True)
class Who:
    """An operator, as far as that is known."""

    role: Literal["owner", "staff"]
    address: str


class Operator:
    """Lets the operator in and nobody else."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._token, self._staff_token = settings.operator_token, settings.staff_token
        if self._token is not None and self._token == self._staff_token:
            raise SettingError("MOODSTREAM_STAFF_TOKEN", "this is the owner's token; staff need another one")
        self._guesses = Limits(GUESSES_A_MINUTE / 60, GUESSES_A_MINUTE)

    def admit(self, connection: HTTPConnection, *, owner: bool = True) -> Who:
        """Who it is. Raises HTTPException for everybody but the owner, or without ``owner`` but owner and staff."""
        if is_foreign(connection):
            raise HTTPException(403, "only pages of this server may do that")
        address = connection.client.host if connection.client else ""
        given = _password(connection)
        if _is_same(given, self._staff_token):
            if owner:
                raise HTTPException(403, "only the owner may do that, and this is the token of the staff")
            return Who("staff", address)
        if self._token is None:
            if not _is_local(connection):
                raise HTTPException(403, "only from this machine itself, unless MOODSTREAM_OPERATOR_TOKEN is set")
            return Who("owner", address)
        # The right token is taken however many wrong ones came before: else anybody at the operator's address, such as
        # a visitor in the same network, could lock the operator out. Guessing 16 letters and more takes longer than a
        # limited number of requests a second allows (shared.app.request_guard).
        if _is_same(given, self._token):
            return Who("owner", address)
        # a browser asks once without a password to learn that it needs one
        if given and (wait_s := self._guesses.take(address)):
            raise HTTPException(429, "too many wrong passwords; try again later", {"Retry-After": f"{wait_s:.0f}"})
        raise HTTPException(401, "the operator's token is needed", CHALLENGE)


def _is_same(given: str, token: str | None) -> bool:
    """In constant time."""
    return token is not None and hmac.compare_digest(given.encode(errors="replace"), token.encode())


def kept_token() -> Path:
    """Where ``moodstream run`` keeps the token that it has made."""
    return state_home() / "moodstream" / "operator-token"


def make_token(file: Path) -> str:
    """A new token in a new file that only its owner can read. Raises MoodstreamError."""
    token = secrets.token_urlsafe(18)
    try:
        create_private(file, token + "\n")
    except OSError as error:
        raise MoodstreamError(f"{file}: {error.strerror}; set MOODSTREAM_OPERATOR_TOKEN instead") from None
    return token


def _is_local(connection: HTTPConnection) -> bool:
    """Whether it comes from this machine, and was meant for it: a foreign name may be made to point here."""
    if any(name in connection.headers for name in PROXIED):
        return False
    named = host_of(connection.scope["headers"])
    return all(one == LOCAL or _is_loopback(one) for one in (connection.client and connection.client.host, named))


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
