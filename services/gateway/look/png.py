"""A PNG rebuilt from what a picture needs: nothing that rides along in a file gets to a browser. Pure.

Source: https://www.w3.org/TR/png-3/
"""

import struct
import zlib

MAX_BYTES = 512 * 1024
MAX_SIDE = 2_000
SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


class NoPicture(Exception):
    """One line that says why."""


def rebuild(data: bytes) -> bytes:
    """The same picture with its pixels, palette and transparency alone. Raises NoPicture."""
    if len(data) > MAX_BYTES:
        raise NoPicture(f"it is larger than {MAX_BYTES // 1024} KB")
    if not data.startswith(SIGNATURE):
        raise NoPicture(f"it is {_kind(data)}, not a picture in PNG, JPEG or WebP")
    chunks = [(name, body) for name, body in _chunks(data) if name in KEPT]
    if [name for name, _ in chunks][:1] != [b"IHDR"] or chunks[-1][0] != b"IEND":
        raise NoPicture("it is a broken PNG: its parts are not in order")
    _check_pixels(chunks[0][1], b"".join(body for name, body in chunks if name == b"IDAT"))
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in chunks)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        written = data[at + 8 + length : at + 12 + length]
        if len(body) != length or written != struct.pack(">I", zlib.crc32(name + body)):
            raise NoPicture("it is a broken PNG: a part is cut off or damaged")
        found.append((name, body))
        if name == b"IEND":
            return found
        at += 12 + length
    raise NoPicture("it is a broken PNG: its end is missing")


def _check_pixels(header: bytes, packed: bytes) -> None:
    """Whether it holds as many pixels as it says, and no more are ever unpacked."""
    if len(header) != 13:
        raise NoPicture("it is a broken PNG: its header is no header")
    width, height, depth, colour, method, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise NoPicture(f"it has {width} x {height} pixels; at most {MAX_SIDE} x {MAX_SIDE} are shown")
    if depth not in DEPTHS.get(colour, ()) or (method, filtering, interlaced) != (0, 0, 0):
        raise NoPicture("it is a PNG of a kind that is not taken; save it anew, not interlaced")
    size = height * (1 + (width * CHANNELS[colour] * depth + 7) // 8)
    unpacker = zlib.decompressobj()
    try:
        unpacked = len(unpacker.decompress(packed, size + 1))
    except zlib.error:
        raise NoPicture("it is a broken PNG: its pixels cannot be unpacked") from None
    if unpacked != size:
        raise NoPicture("it is a broken PNG: its size is not that of its pixels")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _kind(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if b"<svg" in start:
        return "an SVG, which may hold a script"
    if start.startswith((b"<!doctype", b"<html", b"<")):
        return "a web page or another text with marks"
    return "something else"
