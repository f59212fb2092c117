"""Pictures and videos by the ends of their names, for whatever takes a folder of them."""

from collections.abc import Iterator
from pathlib import Path

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
VIDEOS = frozenset(
    {".3gp", ".avi", ".dv", ".flv", ".h264", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"}
    | {".ogv", ".ts", ".vob", ".webm", ".wmv"}
)


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES


def media_in(folder: Path) -> Iterator[Path]:
    """The pictures and videos that lie in a folder, by name; hidden files and other kinds are left out.

    Raises OSError when the folder cannot be read.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICTURES | VIDEOS and not path.name.startswith(".") and path.is_file():
            yield path
