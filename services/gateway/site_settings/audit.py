"""Who changed what, and when: lines of JSON beside the file of the site's settings, of which the newest are kept."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from moodstream.contracts.events import utc_now
from shared.files import PRIVATE, PRIVATE_FOLDER, replacing
from shared.web.operator import Who

MAX_BYTES = 512 * 1024
MAX_LETTERS = 200
"""Of a value; lists of songs may be long."""


class Audit:
    """Not safe for several writers: whoever writes holds the lock of the settings."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextlib.contextmanager
    def noting(self, who: Who, what: str, details: Mapping[str, JsonValue]) -> Iterator[None]:
        """Note a deed before it is done, and take the note back when it fails. Raises OSError before anything is done.

        So nothing is changed that is not noted, also on a full disk.
        """
        self._path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        self._shorten()
        entry = {"at": utc_now().isoformat(), "role": who.role, "address": who.address, "what": what, **details}
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        audit = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
        before = os.fstat(audit).st_size
        try:
            rest = memoryview(line.encode())
            while rest:  # without a buffer, which would try again to write what a full disk has refused
                rest = rest[os.write(audit, rest) :]
            os.fsync(audit)
            yield
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(audit, before)
            raise
        finally:
            os.close(audit)

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The newest first; a line that was cut off by a power cut is passed over. Raises OSError."""
        if not self._path.exists():
            return []
        entries: list[dict[str, Any]] = []
        for line in reversed(self._path.read_text("utf-8", "replace").splitlines()):
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                entries.append(entry | {"at": datetime.fromisoformat(entry["at"]).isoformat()})
            if len(entries) == count:
                break
        return entries

    def _shorten(self) -> None:
        """Keep the newer half of a file that has grown too long."""
        if not self._path.exists() or self._path.stat().st_size <= MAX_BYTES:
            return
        kept = self._path.read_bytes()[-MAX_BYTES // 2 :].partition(b"\n")[2]
        with replacing(self._path, PRIVATE) as file:
            file.write(kept)


def shown(value: object) -> JsonValue:
    """A setting's value for the audit."""
    if isinstance(value, str) and len(value) > MAX_LETTERS:
        return f"{value[:MAX_LETTERS]}… ({len(value)} letters)"
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)[:MAX_LETTERS]
