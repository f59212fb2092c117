"""What a file is, by its first bytes, and under which name it may lie in the data folder. Pure."""

import re
import unicodedata
from pathlib import PurePosixPath

HEAD_BYTES = 64
MAX_NAME_BYTES = 180
MAX_FOLDERS = 5

ENDINGS = {
    "mp3": (".mp3",),
    "aac": (".aac",),
    "flac": (".flac",),
    "ogg": (".ogg", ".oga", ".opus"),
    "wav": (".wav",),
    "mp4": (".m4a", ".m4b", ".mp4"),
    "aiff": (".aif", ".aiff", ".aifc"),
    "wma": (".wma",),
    "mka": (".mka", ".webm"),
    "wavpack": (".wv",),
    "tta": (".tta",),
    "ape": (".ape",),
    "musepack": (".mpc",),
}
"""By kind; a name with none of these gets the first."""

NO_TABLES = {
    b"\xff\xd8\xff": "a picture",
    b"\x89PNG": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
    b"\x7fELF": "a program",
    b"MZ": "a program",
}
"""What can be told before a byte is stored; the import itself knows more."""


def sound_kind(head: bytes) -> str | None:
    """A key of ``ENDINGS``; None for what is no sound."""
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp" and head[8:12] not in (b"heic", b"avif", b"mif1"):
        return "mp4"
    for magic, kind in (
        (b"fLaC", "flac"),
        (b"OggS", "ogg"),
        (b"ID3", "mp3"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wma"),
        (b"\x1aE\xdf\xa3", "mka"),
        (b"wvpk", "wavpack"),
        (b"TTA1", "tta"),
        (b"MAC ", "ape"),
        (b"MPCK", "musepack"),
        (b"MP+", "musepack"),
    ):
        if head.startswith(magic):
            return kind
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # the sync word of MPEG audio
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    return None


def no_table(head: bytes) -> str | None:
    """What a file is that can be no table of songs; None where it may be one."""
    if kind := sound_kind(head):
        return f"a sound file ({kind}): send it as music"
    return next((what for magic, what in NO_TABLES.items() if head.startswith(magic)), None)


def safe_path(given: str) -> PurePosixPath | None:
    """A relative path without dots in front, control characters or ways out; None where nothing is left of it."""
    text = unicodedata.normalize("NFC", given).replace("\\", "/")
    parts = [_safe(part) for part in text.split("/")[-MAX_FOLDERS - 1 :]]
    kept = [part for part in parts if part]
    return PurePosixPath(*kept) if kept else None


def sound_path(given: str, kind: str) -> PurePosixPath | None:
    """The same with an ending that says what the bytes are."""
    path = safe_path(given)
    if path is None or path.suffix.lower() in ENDINGS[kind]:
        return path
    return path.with_name(path.name + ENDINGS[kind][0])


def _safe(part: str) -> str:
    kept = re.sub(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u2028-\u202e\u2066-\u2069\ud800-\udfff]', "", part).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if len(ending) > 10 or not dot:
        stem, dot, ending = kept, "", ""
    room = MAX_NAME_BYTES - len(dot + ending)
    return stem.encode()[:room].decode(errors="ignore").rstrip() + dot + ending
