"""To whom alerts go: a file beside the settings that its owner alone can read, since addresses hold secrets."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from moodstream.errors import MoodstreamError
from shared.files import write_private
from shared.web.webhook_secret import checked_secret

MAX_BYTES = 64 * 1024


def _web_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(ord(letter) <= 32 for letter in address):
        raise ValueError("an address that begins with https:// or http://")
    return address


def _one_line(text: str) -> str:
    if any(ord(letter) < 32 for letter in text):
        raise ValueError("one line")
    return text


WebAddress = Annotated[str, Field(max_length=500), AfterValidator(_web_address)]
MailAddress = Annotated[str, Field(max_length=200, pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$")]
OneLine = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]


class Mail(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    to: MailAddress
    sender: MailAddress
    server: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """465 speaks TLS from the start; on others it is begun by STARTTLS where a password is sent"""
    user: OneLine = ""
    password: OneLine = ""

    def keeping(self, before: "Mail") -> "Mail":
        """With the password of before, which no page shows, where none is given for the same account."""
        same = (self.server, self.port, self.user) == (before.server, before.port, before.user)
        return self.model_copy(update={"password": before.password}) if same and not self.password else self


class Receivers(BaseModel):
    """None of them: nobody is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ntfy: WebAddress | None = None
    """a topic, such as https://ntfy.sh/TOPIC"""
    webhook: WebAddress | None = None
    webhook_secret: Annotated[str, AfterValidator(checked_secret)] | None = None
    """with which webhooks are signed; made with the address, and shown once"""
    mail: Mail | None = None

    def shown(self) -> dict[str, Any]:
        """Without secrets: of web addresses the host alone."""
        mail = self.mail
        return {
            "ntfy": _host(self.ntfy),
            "webhook": _host(self.webhook),
            "mail": mail and {**mail.model_dump(exclude={"password"}), "password": bool(mail.password)},
        }


class ReceiversFile:
    """Blocking, so to be called in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Receivers:
        """Raises MoodstreamError where the file is no good."""
        try:
            return Receivers.model_validate_json(self.path.read_bytes()[:MAX_BYTES])
        except FileNotFoundError:
            return Receivers()
        except ValidationError as error:
            raise MoodstreamError(f"{self.path}: {error.errors()[0]['msg']}") from None
        except OSError as error:
            raise MoodstreamError(f"{self.path}: {error.strerror}") from None

    def write(self, receivers: Receivers) -> None:
        """Raises OSError."""
        write_private(self.path, receivers.model_dump_json())


def _host(address: str | None) -> str | None:
    if address is None:
        return None
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}/…"
