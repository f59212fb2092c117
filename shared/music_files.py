"""What stands in a music file besides its sound: tags, and the cover, embedded or beside it.

Needs mutagen, which comes with the extras ``gateway`` and ``scan``. Pictures are told by their first bytes, never by
what a file says of itself, so nothing but a picture gets out.
"""

import logging
import struct
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moodstream.errors import MoodstreamError

log = logging.getLogger(__name__)

MAX_BYTES = 8_000_000
"""Of a picture; a larger one counts as none, and the next is looked for."""

FRONT = 3
"""The kind "cover (front)" in ID3, FLAC and Windows Media."""

IN_APE = {"cover art (front)": FRONT, "cover art (other)": 0, "cover art (back)": 4, "cover art (media)": 6}
"""Items of APEv2 that hold pictures, and their kinds in ID3."""

BESIDE = ("cover", "folder", "front", "album", "albumart", "albumartsmall")
"""Names of a folder's cover, without their endings; the first that is there counts."""
DAMAGE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)
"""What mutagen raises besides its own errors for bytes that it did not expect."""

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})


@dataclass(frozen=True)
class Cover:
    """A picture as it stands in its file."""

    data: bytes
    media_type: str
    """image/jpeg, image/png, image/webp or image/gif"""


def cover_of(path: Path) -> Cover | None:
    """The cover of a music file, None where there is none; reads files, so call it in a thread.

    Of embedded pictures the front cover, else the first. Else a picture beside the file: of the same name, or one of
    ``BESIDE``. What cannot be read, is no picture or is above ``MAX_BYTES`` is passed over.
    """
    return next((cover for data in _candidates(path) if (cover := _picture(data)) is not None), None)


def open_tags(path: Path) -> Any:
    """The file as mutagen reads it, None where it knows no such format.

    Raises MoodstreamError for a damaged or missing file: mutagen itself raises much else for one.
    """
    import mutagen

    try:
        return mutagen.File(path)
    except (
        mutagen.MutagenError,
        ArithmeticError,
        AttributeError,
        LookupError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        raise MoodstreamError(f"cannot read the tags: {type(error).__name__}") from None
    except struct.error:
        raise MoodstreamError("cannot read the tags: the file is cut off") from None


def ape_tags(path: Path) -> Any:
    """The APEv2 tag at the end of a file of any kind, as some programs write it to MP3; None where there is none."""
    from mutagen import MutagenError
    from mutagen.apev2 import APEv2

    try:
        return APEv2(path)
    except (MutagenError, OSError, *DAMAGE):
        return None


def _candidates(path: Path) -> Iterator[bytes]:
    try:
        embedded = list(_embedded(open_tags(path)))
    except MoodstreamError as error:
        log.debug("%s: %s", path.name, error)
        embedded = []
    embedded += _in_ape(ape_tags(path))
    yield from (data for _, data in sorted(embedded, key=lambda one: one[0] != FRONT))
    for file in _beside(path):
        try:
            if file.stat().st_size <= MAX_BYTES:
                yield file.read_bytes()
        except OSError as error:
            log.debug("%s: %s", file.name, error.strerror)


def _embedded(file: Any) -> Iterator[tuple[int, bytes]]:
    """Kind and bytes of each embedded picture."""
    tags = getattr(file, "tags", None)
    for picture in getattr(file, "pictures", ()):  # FLAC
        yield picture.type, picture.data
    if tags is None:
        return
    if hasattr(tags, "getall"):  # ID3: MP3, WAV, AIFF
        for frame in tags.getall("APIC"):
            yield int(frame.type), frame.data
        return
    keys = {str(key).casefold(): key for key in tags.keys()}  # noqa: SIM118 (Vorbis comments iterate over pairs)
    for key in ("metadata_block_picture", "coverart", "covr", "wm/picture"):
        for value in tags[keys[key]] if key in keys else ():
            if found := _decoded(key, value):
                yield found


def _in_ape(tags: Any) -> Iterator[tuple[int, bytes]]:
    """Each has its file's name, ended by a zero, before the picture."""
    from mutagen.apev2 import BINARY

    for key, value in tags.items() if tags is not None else ():
        kind = IN_APE.get(key.casefold())
        if kind is not None and value.kind == BINARY:
            yield kind, value.value.partition(b"\0")[2]


def _decoded(key: str, value: Any) -> tuple[int, bytes] | None:
    """A picture of an Ogg file (a FLAC picture, or the older bare one, in base64), of an MP4 or of a WMA file."""
    from mutagen import MutagenError
    from mutagen.flac import Picture

    try:
        if key == "metadata_block_picture":
            picture = Picture(b64decode(value))
            return picture.type, picture.data
        if key == "coverart":
            return FRONT, b64decode(value)
        if key == "covr":
            return FRONT, bytes(value)
        return _windows_media(value.value)
    except (MutagenError, *DAMAGE):
        return None


def _windows_media(data: bytes) -> tuple[int, bytes]:
    """Kind, size, media type and description (UTF-16, each ended by a zero), then the picture."""
    kind, size = struct.unpack_from("<BI", data)
    at = 5
    for _ in range(2):
        while data[at : at + 2] != b"\0\0":
            if at >= len(data):
                raise ValueError("the picture is cut off")
            at += 2
        at += 2
    return kind, data[at : at + size]


def _beside(path: Path) -> list[Path]:
    """Pictures in the song's folder that may be its cover, the best first."""
    names = [path.stem.casefold(), *BESIDE]
    try:
        found = [
            file for file in path.parent.iterdir() if file.suffix.lower() in ENDINGS and file.stem.casefold() in names
        ]
    except OSError:
        return []
    return sorted(found, key=lambda file: (names.index(file.stem.casefold()), file.name))


def _picture(data: bytes) -> Cover | None:
    if len(data) > MAX_BYTES:
        return None
    if data.startswith(b"\xff\xd8\xff"):
        return Cover(data, "image/jpeg")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Cover(data, "image/png")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Cover(data, "image/webp")
    if data.startswith((b"GIF87a", b"GIF89a")):
        return Cover(data, "image/gif")
    return None
