"""Addresses of cameras and files, and which part of them may be shown. Pure."""

import re
from urllib.parse import urlsplit

PATTERN, BROWSER = "pattern:", "browser"
QUICK_PATTERN = "pattern:quick"
"""The drawn face that hurries through its moods, for trials and tests."""
DRAWN = (PATTERN, QUICK_PATTERN)
_WEBCAM = re.compile(r"(?:webcam:|/dev/video)(\d{1,3})")
_STREAM = re.compile(r"(?:rtsps?|rtmps?|https?|srt|tcp|udp|rtp)://", re.IGNORECASE)
_NAMED = re.compile(r"[A-Za-z][\w.-]*=")
_HIDDEN = "***"


def webcam_number(address: str) -> int | None:
    """The number in ``webcam:0`` or ``/dev/video0``; None for anything else."""
    found = _WEBCAM.fullmatch(address)
    return int(found[1]) if found else None


def is_stream(address: str) -> bool:
    return _STREAM.match(address) is not None


def is_live(address: str) -> bool:
    """Whether the address names a camera, which can fail and recover; files and the drawn face cannot."""
    return address.startswith(("webcam:", "/dev/video")) or is_stream(address)


def masked(address: str) -> str:
    """The address without user, password and any value after the host, for logs, events and errors.

    Cameras take passwords as ``user:password@``, ``?token=...``, ``;pwd=...`` and even
    ``/user=admin_password=..._channel=1``, so only the names of a query and the path up to an equals sign are shown.
    """
    if not is_stream(address):
        return address
    scheme, _, rest = address.partition("://")
    place, mark, after = _split(rest, "/?#")
    if "@" in after:  # a password that contains one of these marks, or an @ in the path: ambiguous
        return f"{scheme}://{_HIDDEN}"
    path, query_mark, query = _split(mark + after, "?#")
    name, equals, _ = path.partition("=")
    shown = [
        f"{part.partition('=')[0]}={_HIDDEN}" if _NAMED.match(part) else _HIDDEN for part in re.split("[&;]", query)
    ]
    tail = "?" + "&".join(shown) if query_mark == "?" and query else ""
    return f"{scheme}://{place.rpartition('@')[2]}{name}{equals and '=' + _HIDDEN}{tail}"


def _split(text: str, marks: str) -> tuple[str, str, str]:
    """Split at the first of the marks: before, the mark, after."""
    found = re.search(f"[{marks}]", text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def has_secret(address: str) -> bool:
    """Whether the whole address might contain a password."""
    return masked(address) != address


def host_and_port(address: str) -> tuple[str, int] | None:
    """Host and port of a stream; None when the address has none or is not a stream over TCP."""
    ports = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
    try:
        parts = urlsplit(address)
        port = parts.port or ports.get(parts.scheme.lower())
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port and parts.scheme.lower() in ports else None
