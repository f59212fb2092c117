"""Cameras over HTTP: streams of JPEG pictures, and snapshots that are requested again and again.

FFmpeg is not used for them, because it accepts any length and any number of pixels that a camera claims. What a camera
says of its parts is not believed either: the pictures themselves say where they end (``jpeg``).
"""

import http.client
import time
from typing import Any

from moodstream.contracts.status_codes import StatusCode
from services.camera.capture.errors import SourceUnavailable
from services.camera.capture.http_connection import TIMEOUT_S, Connection, NotPictures, Refused
from services.camera.capture.jpeg import START, JpegStream
from services.camera.capture.picture import PNG, Image, decode, is_whole

MAX_BYTES = 8 * 1024 * 1024
"""of one picture; no camera sends more"""
MAX_TEXT = 4096
"""bytes of headers and the like before the first picture"""
MAX_REQUESTS_PER_S = 30.0
LOST_S = 2.5
"""Without a good answer for this long a camera is lost; shorter than the watchdog's patience, which knows no reason."""
JPEG_TYPES = ("image/jpeg", "image/jpg", "image/pjpeg")


def open_http(address: str, *, verify_tls: bool, timeout_s: float = TIMEOUT_S) -> "MjpegCamera | SnapshotCamera":
    """Raises SourceUnavailable if the camera does not answer, NotPictures if it sends neither MJPEG nor pictures.

    ``timeout_s``: how long a picture may take.
    """
    connection = Connection(address, verify_tls=verify_tls, timeout_s=timeout_s)
    answer, lost_s = connection.get(), LOST_S + timeout_s - TIMEOUT_S
    kind = answer.headers.get_content_type()
    if kind.startswith("multipart/"):
        answer.length = None  # a stream has none, whatever is claimed
        return MjpegCamera(connection, answer, lost_s)
    if kind in JPEG_TYPES and answer.length is None:
        return MjpegCamera(connection, answer, lost_s)
    if kind.startswith("image/"):
        answer.close()
        return SnapshotCamera(connection, lost_s)
    return _open_by_bytes(connection, answer, lost_s)


def _open_by_bytes(connection: Connection, answer: Any, lost_s: float) -> "MjpegCamera | SnapshotCamera":
    """A camera that calls its pictures by a wrong name, or by none: text may stand before the first, nothing else."""
    begun, deadline_s = b"", time.monotonic() + TIMEOUT_S
    while len(begun) < MAX_TEXT and time.monotonic() < deadline_s:
        try:
            data = answer.read1(MAX_TEXT)
        except (OSError, http.client.HTTPException, ValueError):
            break
        begun += data
        before, start, _ = begun.partition(START)
        if start or not data or not _is_text(before):
            break
    before, start, _ = begun.partition(START)
    if start and _is_text(before):
        is_one_picture = not before and answer.length is not None and answer.length <= MAX_BYTES
        if not is_one_picture:
            return MjpegCamera(connection, answer, lost_s, begun)
        answer.close()
        return SnapshotCamera(connection, lost_s)
    answer.close()
    if begun.startswith(PNG):
        return SnapshotCamera(connection, lost_s)
    raise NotPictures


def _is_text(data: bytes) -> bool:
    """Whether it may be the boundary and the headers of a part."""
    return all(
        byte in b"\r\n\t\0" or 0x20 <= byte < 0x7F for byte in data.removesuffix(b"\xff").removesuffix(b"\xff\xd8")
    )


class MjpegCamera:
    """Pictures one after the other in an endless answer.

    An answer that is whole after some pictures, as snapshot cameras give them, is asked for again.
    """

    rate = 0.0

    def __init__(self, connection: Connection, answer: Any, lost_s: float = LOST_S, begun: bytes = b"") -> None:
        """``begun``: what has been read of the answer."""
        self._connection, self._answer, self._lost_s = connection, answer, lost_s
        self._stream = JpegStream()
        self._stream.feed(begun)
        self._newest = b""
        self._asked_s, self._given = time.monotonic(), 0
        self._good_s = time.monotonic()
        self.gap_s = 1 / MAX_REQUESTS_PER_S
        """seconds between two requests; the capture process sets it by the wanted rate"""

    def wait_for_picture(self) -> bool:
        while (picture := self._stream.take()) is None:
            self._read_more()
        self._newest = picture
        if picture:
            self._good_s, self._given = time.monotonic(), self._given + 1
        return bool(picture)

    def decode_picture(self) -> Image | None:
        return decode(self._newest)

    def close(self) -> None:
        self._answer.close()

    def _read_more(self) -> None:
        """Raises SourceUnavailable when nothing comes, and for what is too long to be a picture."""
        if self._stream.unused > MAX_BYTES or (
            self._stream.unused and time.monotonic() - self._good_s > self._lost_s and not self._stream.in_picture
        ):
            raise self._lost("sends what is no picture", StatusCode.BROKEN_PICTURES)
        try:
            data = self._answer.read1(65536)
        except TimeoutError:
            raise self._lost("gives no pictures", StatusCode.STALLED) from None
        except (OSError, http.client.HTTPException, ValueError):
            data = b""
        if data:
            self._stream.feed(data)
        elif self._given and self._is_complete():
            self._ask_again()
        else:
            raise self._lost("gives no pictures")

    def _is_complete(self) -> bool:
        """Whether an answer that has ended was meant to: one picture by itself, or the last boundary of several."""
        kind = self._answer.headers.get_content_type()
        is_one = not kind.startswith("multipart/") and self._given == 1
        return kind in JPEG_TYPES or is_one or self._stream.rest.rstrip().endswith(b"--")

    def _ask_again(self) -> None:
        """Raises SourceUnavailable when the camera does not answer as before."""
        self._answer.close()
        time.sleep(max(0.0, self._asked_s + self.gap_s - time.monotonic()))
        self._asked_s, self._given = time.monotonic(), 0
        self._stream = JpegStream()
        try:
            self._answer = self._connection.get()
            if self._answer.headers.get_content_type().startswith("multipart/"):
                self._answer.length = None
        except NotPictures:
            raise self._lost("gives no pictures") from None

    def _lost(self, what: str, code: StatusCode = StatusCode.LOST) -> SourceUnavailable:
        return SourceUnavailable(f"{self._connection.name} {what}", code)


class SnapshotCamera:
    """One answer per picture; the next is requested as soon as one is read, at most 30 times a second.

    One request that fails is not the end: the camera is lost when no answer was good for ``lost_s``.
    """

    rate = 0.0

    def __init__(self, connection: Connection, lost_s: float = LOST_S) -> None:
        self._connection, self._lost_s = connection, lost_s
        self._newest = b""
        self._asked_s, self._good_s = float("-inf"), time.monotonic()
        self.gap_s = 1 / MAX_REQUESTS_PER_S
        """seconds between two requests; the capture process sets it by the wanted rate"""

    def wait_for_picture(self) -> bool:
        time.sleep(max(0.0, self._asked_s + self.gap_s - time.monotonic()))
        self._asked_s = time.monotonic()
        try:
            self._newest = self._read_picture()
        except SourceUnavailable as error:
            refused_for_good = isinstance(error, Refused) and not error.busy
            if refused_for_good or time.monotonic() - self._good_s > self._lost_s:
                raise
            return False
        self._good_s = time.monotonic()
        return len(self._newest) <= MAX_BYTES and is_whole(self._newest)

    def _read_picture(self) -> bytes:
        name = self._connection.name
        try:
            answer = self._connection.get()
        except NotPictures:
            raise SourceUnavailable(f"{name} gives no pictures") from None
        try:
            data: bytes = answer.read(MAX_BYTES + 1)
        except TimeoutError:
            raise SourceUnavailable(f"{name} gives no pictures", StatusCode.STALLED) from None
        except (OSError, http.client.HTTPException):
            raise SourceUnavailable(f"{name} gives no pictures") from None
        finally:
            answer.close()
        return data

    def decode_picture(self) -> Image | None:
        return decode(self._newest)

    def close(self) -> None:
        """Nothing stays open."""
