"""A small JSON file that its owner alone can read."""

import json
import os
from pathlib import Path
from typing import Any


class Keep:
    """Values by name. A file that is missing or broken is empty; ``fault`` says why."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.fault: str | None = None

    def read(self) -> dict[str, Any]:
        self.fault = None
        try:
            found = json.loads(self.file.read_text())
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.fault = f"{self.file} cannot be read: {error.strerror}"
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self.fault = f"{self.file} is damaged" if self.file.stat().st_size else None
            return {}
        return found

    def write(self, values: dict[str, Any]) -> None:
        """All at once: whoever is killed in between leaves the file as it was. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(values, file)
        draft.replace(self.file)

    def update(self, **values: Any) -> None:
        self.write(self.read() | values)
