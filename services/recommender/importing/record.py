"""What is known of an import, in a file beside the catalogue: it outlives the process, and the recommender."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moodstream.contracts.requests import ImportSource, ImportState
from shared.files import READABLE, replacing

MAX_TRIES = 3
"""An import that ends its process so often is not begun again."""


class Record(BaseModel):
    """One import; the newest takes the place of the one before."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    state: ImportState
    source: ImportSource
    path: str = ""
    name: str = ""
    guess: bool = False
    doing: str = ""
    done: int | None = None
    total: int | None = None
    error: str | None = None
    report: dict[str, Any] | None = None
    proposal: dict[str, Any] | None = None
    begun_at: datetime
    ended_at: datetime | None = None
    tries: int = Field(0, ge=0)
    """how often a process was started for it"""

    def changed(self, **values: Any) -> Self:
        return self.model_copy(update=values)


class RecordFile:
    """Blocking. Written by one at a time: by the recommender while no process works, else by that process."""

    def __init__(self, catalogue: Path) -> None:
        self.path = catalogue.with_name(f"{catalogue.name}.import.json")
        self.lock = catalogue.with_name(f"{catalogue.name}.import.lock")

    def read(self) -> Record | None:
        """None where there was no import yet, or its record cannot be read."""
        try:
            return Record.model_validate_json(self.path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, record: Record) -> None:
        """Raises OSError: then the record is as it was."""
        with replacing(self.path, READABLE) as file:
            file.write(json.dumps(record.model_dump(mode="json"), ensure_ascii=False).encode())

    def writable(self) -> bool:
        """Whether an import could be noted, and so begun."""
        folder = self.path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return os.access(folder, os.W_OK)
