"""A small JSON file that its owner alone can read."""

import json
from pathlib import Path
from typing import Any

from shared.files import write_private


class JsonFile:
    """Values by name. A file that is missing or broken is empty; ``fault`` says why."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault: str | None = None
        """why nothing could be loaded the last time, in one line"""

    def load(self) -> dict[str, Any]:
        self.fault = None
        try:
            found = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.fault = f"{self.path} cannot be read: {error.strerror}"
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self.fault = f"{self.path} is damaged" if self.path.stat().st_size else None
            return {}
        return found

    def save(self, values: dict[str, Any]) -> None:
        """Replace the whole file. Raises OSError."""
        write_private(self.path, json.dumps(values))

    def update(self, **values: Any) -> None:
        """Raises OSError."""
        self.save(self.load() | values)
