"""Who is sent webhooks: a TOML file that its owner writes, checked as a whole before anything starts."""

import tomllib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from moodstream.contracts.event_filter import KINDS
from moodstream.contracts.events import Event, MoodChanged
from moodstream.contracts.validation import first_fault
from moodstream.errors import MoodstreamError
from shared.web.webhook_secret import checked_secret


def _event(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"{name!r} is no event; there are {', '.join(KINDS)}")
    return name


class Receiver(BaseModel):
    """One receiver of webhooks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[A-Za-z0-9_-]{1,64}$")
    url: str
    secrets: tuple[Annotated[str, AfterValidator(checked_secret)], ...] = Field(min_length=1, max_length=4, repr=False)
    """newest first; more than one while receivers change from the old to the new"""
    events: tuple[Annotated[str, AfterValidator(_event)], ...] = ("MoodChanged",)
    heartbeats: bool = False
    """whether moods are also sent when nothing changed"""
    private: bool = False
    """whether it may have a private address, and be spoken to without TLS"""

    @model_validator(mode="after")
    def _address(self) -> "Receiver":
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("url: must be https://..., without a name and password")
        if parts.scheme == "http" and not self.private:
            raise ValueError("url: must be https://...; http:// only together with private = true")
        return self

    def wants(self, event: Event) -> bool:
        if event.type not in self.events:
            return False
        return self.heartbeats or not (isinstance(event, MoodChanged) and event.reason == "heartbeat")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    webhook: tuple[Receiver, ...] = ()


def read_receivers(file: Path) -> tuple[Receiver, ...]:
    """The receivers in a file. Raises MoodstreamError with one line."""
    try:
        receivers = _File.model_validate(tomllib.loads(file.read_text())).webhook
    except OSError as error:
        raise MoodstreamError(f"MOODSTREAM_WEBHOOKS: {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MoodstreamError(f"MOODSTREAM_WEBHOOKS: {file}: not TOML: {error}") from None
    except ValidationError as error:
        raise MoodstreamError(f"MOODSTREAM_WEBHOOKS: {file}: {first_fault(error)}") from None
    names = [one.name for one in receivers]
    if len(set(names)) < len(names):
        raise MoodstreamError(f"MOODSTREAM_WEBHOOKS: {file}: two webhooks have the same name")
    return receivers
