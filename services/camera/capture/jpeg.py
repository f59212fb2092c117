"""JPEG pictures by their own structure: where one ends, and those in a stream that frames them in any way.

Cameras write the headers of their parts in thirty manners, wrong lengths among them; the picture itself says where it
ends. Source of the markers: ITU-T T.81, annex B.
"""

import re

from services.camera.capture.jpeg_end import END, lacks_only_its_end

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
KEPT = 1024
"""Bytes of what is no picture that are kept: a picture may begin in the last of them, and its length stands there."""
START = b"\xff\xd8\xff"
LENGTH = re.compile(rb"(?i)\ncontent-length *: *(\d{1,9})\s*\n")
BEHIND = (b"\r\n--", b"\n--", b"--")
"""What stands behind a picture whose length is told rightly."""
SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that hold height and width."""
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
MARKERS = range(0xC0, 0xFF)
"""All that stand in a picture; other bytes after 0xFF are damage, which a decoder may or may not survive."""


class JpegWalk:
    """Walks through one picture that begins at the start of a buffer which grows."""

    def __init__(self) -> None:
        self._at, self._in_scan = 2, False
        self.has_scan = False
        """whether the compressed picture itself was reached"""

    def end(self, data: bytes | bytearray) -> int | None:
        """Where the picture ends; None while more bytes are needed. Raises ValueError where it is cut or none."""
        while True:
            if self._in_scan and not self._find_marker(data):
                return None
            if len(data) < self._at + 4:
                return self._at + 2 if data[self._at : self._at + 2] == b"\xff\xd9" else None
            if data[self._at] != 0xFF:
                raise ValueError("no marker where one must be")
            marker = data[self._at + 1]
            if marker == EOI:
                return self._at + 2
            if marker == 0xFF:  # fills up
                self._at += 1
            elif marker in WITHOUT_LENGTH:
                self._at += 2
            elif marker == SOI or marker not in MARKERS:
                raise ValueError("another picture begins within this one")
            else:
                length = int.from_bytes(data[self._at + 2 : self._at + 4], "big")
                if length < 2:
                    raise ValueError("a segment without a length")
                self._at, self._in_scan = self._at + 2 + length, marker == SOS
                self.has_scan |= self._in_scan

    def _find_marker(self, data: bytes | bytearray) -> bool:
        """Go to the next marker after the compressed picture; False when it is not there yet."""
        while True:
            place = data.find(b"\xff", self._at)
            if place < 0 or place + 1 >= len(data):
                self._at = len(data) if place < 0 else place
                return False
            self._at = place
            after = data[place + 1]
            if after == 0xFF:
                self._at += 1
            elif after in WITHOUT_LENGTH or after not in MARKERS:
                self._at += 2
            else:
                self._in_scan = False
                return True


def jpeg_pixels(data: bytes) -> int:
    """How many pixels a JPEG claims to have; 0 where it does not say."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in SIZES:
            return int.from_bytes(data[at + 5 : at + 7], "big") * int.from_bytes(data[at + 7 : at + 9], "big")
        at += 1 if marker == 0xFF else 2 if marker in WITHOUT_LENGTH else 2 + length
    return 0


class JpegStream:
    """The pictures in a stream of bytes, whatever stands between them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._walk: JpegWalk | None = None
        self._claimed = 0
        """length of the picture as the headers before it say; 0 where they say none"""
        self._sends_no_ends = False
        """whether a picture has come that lacked the mark of its end and nothing else"""
        self.unused = 0
        """bytes since the last whole picture"""

    @property
    def in_picture(self) -> bool:
        """Whether the beginning of a picture is there, and its end is not."""
        return self._walk is not None

    @property
    def rest(self) -> bytes:
        """What follows the last picture."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data
        self.unused += len(data)

    def take(self) -> bytes | None:
        """The next picture; empty for one that is broken or cut, None when more bytes are needed."""
        if self._walk is None:
            place = self._buffer.find(START)
            if place < 0:
                del self._buffer[: max(0, len(self._buffer) - KEPT)]
                return None
            claims = LENGTH.findall(self._buffer[max(0, place - KEPT) : place])
            self._claimed = int(claims[-1]) if claims else 0
            del self._buffer[:place]
            self._walk = JpegWalk()
        try:
            end = self._walk.end(self._buffer)
        except ValueError:
            end = self._claimed_end() if self._walk.has_scan else -1
        is_unended = end is not None and end > 0 and self._buffer[end - 2 : end] != END
        if end is None:
            return None
        self._walk = None
        if end < 0:
            del self._buffer[: len(START) - 1]
            return b""
        picture = bytes(self._buffer[:end]) + (END if is_unended else b"")
        del self._buffer[:end]
        self.unused = len(self._buffer)
        return picture

    def _claimed_end(self) -> int:
        """Where a picture ends that has no mark of its end, as some cameras send them; -1 where it is cut or broken.

        Its length is believed when the next part begins there and nothing of the picture itself is missing.
        """
        behind = bytes(self._buffer[self._claimed : self._claimed + 4])
        if self._claimed <= len(START) or not behind.startswith(BEHIND):
            return -1
        # Asked until one is whole, and not of each: the decoder writes a line to standard error about every one.
        self._sends_no_ends = self._sends_no_ends or lacks_only_its_end(bytes(self._buffer[: self._claimed]))
        return self._claimed if self._sends_no_ends else -1


def whole_jpeg(data: bytes) -> bytes | None:
    """The picture that data begin with, without what a phone or camera puts behind it; None when it is cut or none."""
    if not data.startswith(START):
        return None
    try:
        end = JpegWalk().end(data)
    except ValueError:
        return None
    return data[:end] if end is not None else None
