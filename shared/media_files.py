"""Pictures and videos by the ends of their names, for whatever takes a folder of them."""

import re
from collections.abc import Iterator
from pathlib import Path

PICTURES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
VIDEOS = frozenset(
    {".264", ".265", ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc"}
    | {".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv"}
    | {".ts", ".vob", ".webm", ".wmv"}
)
FILM_OF = 4
"""Pictures one behind the other that make a film: cameras put up to two more behind a photograph."""
_LOOKED_AT = 4_000_000
"""bytes"""
_NEXT_PICTURE = re.compile(rb"\xff\xd9\xff\xd8\xff")


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES


def is_film_of_jpegs(path: Path) -> bool:
    """Whether a file is MJPEG without any container, as some cameras record: one JPEG directly behind the other.

    Raises OSError when it cannot be read.
    """
    with path.open("rb") as file:
        begins = file.read(3) == b"\xff\xd8\xff"
        return begins and len(_NEXT_PICTURE.findall(file.read(_LOOKED_AT))) >= FILM_OF - 1


def media_in(folder: Path) -> Iterator[Path]:
    """The pictures and videos that lie in a folder, by name; hidden files and other kinds are left out.

    Raises OSError when the folder cannot be read.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICTURES | VIDEOS and not path.name.startswith(".") and path.is_file():
            yield path
