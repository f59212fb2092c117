"""Where the catalogue lies when nobody says otherwise."""

from pathlib import Path

from shared.paths import data_home


def default_catalogue() -> Path:
    """In the user's data folder."""
    return data_home() / "moodstream" / "catalogue.parquet"
