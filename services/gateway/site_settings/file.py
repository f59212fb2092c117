"""The file of the site's settings, as the gateway writes it: as a whole, for one writer at a time, remarks kept."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import JsonValue

from services.gateway.site_settings.audit import Audit, shown
from shared.files import PRIVATE, READABLE, replacing
from shared.site_file import parse_site_file
from shared.web.operator import Who

NO_FILE = "none"
HEAD = "What operators have set on their page. The environment overrules it; every change is in audit.jsonl."


class Changed(Exception):
    """Somebody else has changed the file since it was read."""


@dataclass(frozen=True)
class Stored:
    """What stands in the file."""

    version: str
    """another one after each change"""
    values: Mapping[str, Any]


class SettingsFile:
    """Blocking, so to be called in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.audit = Audit(path.with_name("audit.jsonl"))

    def read(self) -> Stored:
        """Raises MoodstreamError where it is no TOML, or OSError."""
        content = self._content()
        values = parse_site_file(content, self.path) if content is not None else {}
        return Stored(_version(content), values)

    def change(self, version: str, values: Mapping[str, Any], who: Who, what: str) -> None:
        """Set some keys; None takes one out. Raises Changed, MoodstreamError, or OSError: then all is as it was."""
        with self.locked():
            content = self._content()
            if _version(content) != version:
                raise Changed
            before = parse_site_file(content, self.path) if content is not None else {}
            changes: dict[str, JsonValue] = {
                name: [shown(before.get(name)), shown(value)] for name, value in values.items()
            }
            with self.audit.noting(who, what, {"changes": changes}), replacing(self.path, READABLE) as file:
                file.write(_edited(content, values).encode())

    def note(self, who: Who, what: str) -> None:
        """A deed that changes no setting. Raises OSError."""
        with self.locked(), self.audit.noting(who, what, {}):
            pass

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """For several gateways on one folder, too."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path.with_name(".settings.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _content(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None


def _version(content: bytes | None) -> str:
    return NO_FILE if content is None else sha256(content).hexdigest()[:16]


def _edited(content: bytes | None, values: Mapping[str, Any]) -> str:
    """The text of the file with its remarks, and with these values in it."""
    document = tomlkit.parse(content) if content is not None else tomlkit.document()
    if content is None:
        document.add(tomlkit.comment(HEAD))
    for name, value in values.items():
        if value is None:
            document.pop(name, None)
        elif isinstance(value, str) and "\n" in value:
            document[name] = tomlkit.string(value, multiline=True)
        else:
            document[name] = value
    return tomlkit.dumps(document)
