"""Where the catalogue lies when nobody says otherwise."""

import os
from pathlib import Path


def default_catalogue() -> Path:
    """In the user's data folder, as the XDG Base Directory Specification 0.8 has it."""
    home = Path(os.environ.get("XDG_DATA_HOME", ""))
    folder = home if home.is_absolute() else Path.home() / ".local" / "share"
    return folder / "moodstream" / "catalogue.parquet"
