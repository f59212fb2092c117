"""Cameras over HTTP: MJPEG (multipart/x-mixed-replace), and snapshots that are requested again and again.

FFmpeg is not used for them, because it accepts any length and any number of pixels that a camera claims.
"""

import http.client
import ssl
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from moodstream.contracts.status_codes import StatusCode
from services.camera.capture.errors import SourceUnavailable
from services.camera.capture.picture import Image, decode, is_whole
from services.camera.rules.address import masked

TIMEOUT_S = 3.0
MAX_BYTES = 8 * 1024 * 1024
"""of one picture; no camera sends more"""
MAX_SNAPSHOTS_PER_S = 30.0


class NotPictures(Exception):
    """The address gives something else, which FFmpeg may understand."""


def open_http(address: str, *, verify_tls: bool) -> "MjpegCamera | SnapshotCamera":
    """Raises SourceUnavailable if the camera does not answer, NotPictures if it sends neither MJPEG nor pictures."""
    url, opener = _opener(address, verify_tls)
    answer = _get(opener, url, masked(address))
    kind = answer.headers.get_content_type()
    if kind.startswith("multipart/"):
        boundary = (answer.headers.get_boundary() or "").strip().removeprefix("--")
        return MjpegCamera(answer, boundary.encode(), masked(address))
    if kind.startswith("image/"):
        answer.close()
        return SnapshotCamera(opener, url, masked(address))
    answer.close()
    raise NotPictures


def _opener(address: str, verify_tls: bool) -> tuple[str, urllib.request.OpenerDirector]:
    """The address without its password, and an opener that sends the password (basic and digest)."""
    parts = urlsplit(address)
    url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        passwords.add_password(None, url, unquote(parts.username), unquote(parts.password or ""))
    trust = ssl.create_default_context()
    if not verify_tls:
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return url, urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # cameras are in the local network
        urllib.request.HTTPSHandler(context=trust),
        _SameHost(),
        _Basic(passwords),
        _Digest(passwords),
    )


class _Closing:
    """urllib does not close the answer that asked for the password."""

    def http_error_401(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> Any:
        asked: Any = super()
        try:
            answer = asked.http_error_401(req, fp, code, msg, headers)
        except BaseException:
            fp.close()
            raise
        if answer is not None:
            fp.close()
        return answer


class _Basic(_Closing, urllib.request.HTTPBasicAuthHandler):
    pass


class _Digest(_Closing, urllib.request.HTTPDigestAuthHandler):
    pass


class _SameHost(urllib.request.HTTPRedirectHandler):
    """A camera may send us elsewhere on itself: not to another host, and not from TLS to no TLS."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        fp.close()
        if before.hostname != after.hostname or (before.scheme == "https" and after.scheme != "https"):
            raise SourceUnavailable(f"cannot open {masked(req.full_url)}: it sends us to another address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _get(opener: urllib.request.OpenerDirector, url: str, name: str) -> Any:
    try:
        return opener.open(url, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        code = error.code
        error.close()
        hint = ": user or password is wrong" if code in (401, 403) else ""
        raise SourceUnavailable(f"cannot open {name}: it answers {code}{hint}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        hint = ": its certificate is not trusted" if isinstance(cause, ssl.SSLCertVerificationError) else ""
        raise SourceUnavailable(f"cannot open {name}{hint}") from None


class MjpegCamera:
    """Pictures one after the other in one endless answer."""

    rate = 0.0

    def __init__(self, answer: Any, boundary: bytes, name: str) -> None:
        self._answer, self._mark, self._name = answer, b"--" + boundary, name
        self._buffer = bytearray()
        self._newest = b""

    def wait_for_picture(self) -> bool:
        self._newest = self._next_part()
        return self._newest.startswith(b"\xff\xd8") and is_whole(self._newest)

    def decode_picture(self) -> Image | None:
        return decode(self._newest)

    def close(self) -> None:
        self._answer.close()

    def _next_part(self) -> bytes:
        """The body of the next part. Raises SourceUnavailable at the end, and for parts that are too long."""
        self._read_until(self._mark)
        head = self._read_until(b"\r\n\r\n").decode("latin-1").lower()
        lengths = [line.partition(":")[2].strip() for line in head.splitlines() if line.startswith("content-length:")]
        if lengths and lengths[0].isdigit():
            length = int(lengths[0])
            if length > MAX_BYTES:
                raise SourceUnavailable(f"{self._name} sends what is no picture", StatusCode.BROKEN_PICTURES)
            while len(self._buffer) < length:
                self._read_more()
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            return body
        body = self._read_until(b"\r\n" + self._mark)
        self._buffer[:0] = self._mark
        return body

    def _read_until(self, mark: bytes) -> bytes:
        """All bytes before the mark; these and the mark are removed from the buffer."""
        start = 0
        while (place := self._buffer.find(mark, start)) < 0:
            start = max(0, len(self._buffer) - len(mark))
            self._read_more()
        before = bytes(self._buffer[:place])
        del self._buffer[: place + len(mark)]
        return before

    def _read_more(self) -> None:
        if len(self._buffer) > MAX_BYTES:
            raise SourceUnavailable(f"{self._name} sends what is no picture", StatusCode.BROKEN_PICTURES)
        try:
            data = self._answer.read1(65536)
        except TimeoutError:
            raise SourceUnavailable(f"{self._name} gives no pictures", StatusCode.STALLED) from None
        except (OSError, http.client.HTTPException, ValueError):
            data = b""
        if not data:
            raise SourceUnavailable(f"{self._name} gives no pictures")
        self._buffer += data


class SnapshotCamera:
    """One answer per picture; the next is requested as soon as one is read, at most 30 times a second."""

    rate = 0.0

    def __init__(self, opener: urllib.request.OpenerDirector, url: str, name: str) -> None:
        self._opener, self._url, self._name = opener, url, name
        self._newest = b""
        self._asked_s = float("-inf")
        self.gap_s = 1 / MAX_SNAPSHOTS_PER_S
        """seconds between two requests; the capture process sets it by the wanted rate"""

    def wait_for_picture(self) -> bool:
        time.sleep(max(0.0, self._asked_s + self.gap_s - time.monotonic()))
        self._asked_s = time.monotonic()
        answer = _get(self._opener, self._url, self._name)
        try:
            self._newest = answer.read(MAX_BYTES + 1)
        except TimeoutError:
            raise SourceUnavailable(f"{self._name} gives no pictures", StatusCode.STALLED) from None
        except (OSError, http.client.HTTPException):
            raise SourceUnavailable(f"{self._name} gives no pictures") from None
        finally:
            answer.close()
        return len(self._newest) <= MAX_BYTES and is_whole(self._newest)

    def decode_picture(self) -> Image | None:
        return decode(self._newest)

    def close(self) -> None:
        """Nothing stays open."""
