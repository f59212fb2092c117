"""Why an RTSP camera does not open: FFmpeg keeps that to itself, so it is asked once more, without a password."""

import re
import socket
import ssl
from urllib.parse import SplitResult, urlsplit

PORTS = {"rtsp": 554, "rtsps": 322}
TIMEOUT_S = 1.0
UNREACHABLE: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, ": its certificate is not trusted"),
    (ssl.SSLError, ": it does not speak TLS"),
    (socket.gaierror, ": there is no host of that name"),
    (ConnectionRefusedError, ": nothing listens at that port"),
    (TimeoutError, ": it does not answer"),
)
MISSING = ("404", "454")
BUSY = ("453", "503")


def why_not(address: str, *, verify_tls: bool) -> str:
    """A few words after a colon, or nothing where the address is of another kind or the camera answers as it should."""
    try:
        parts = urlsplit(address)
        if parts.scheme.lower() not in PORTS or not parts.hostname:
            return ""
        answer = _describe(parts, verify_tls)
    except (OSError, ValueError) as error:
        return why_unreachable(error)
    return _meaning(answer, has_user=parts.username is not None)


def why_unreachable(error: object) -> str:
    """What kept a connection from being made, in a few words after a colon; nothing where that says no more."""
    return next((words for kind, words in UNREACHABLE if isinstance(error, kind)), "")


def _describe(parts: SplitResult, verify_tls: bool) -> bytes:
    """The first bytes of the camera's answer."""
    scheme = parts.scheme.lower()
    with socket.create_connection((parts.hostname, parts.port or PORTS[scheme]), TIMEOUT_S) as plain:
        if scheme == "rtsp":
            return _ask(plain, parts)
        trust = ssl.create_default_context()
        if not verify_tls:
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        with trust.wrap_socket(plain, server_hostname=parts.hostname) as secured:
            return _ask(secured, parts)


def _ask(sock: socket.socket, parts: SplitResult) -> bytes:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    url = parts._replace(netloc=f"{host}:{parts.port}" if parts.port else f"{host}", fragment="").geturl()
    request = f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
    sock.sendall(request.encode("ascii", "ignore"))
    return sock.recv(64)


def _meaning(answer: bytes, *, has_user: bool) -> str:
    known = re.match(rb"RTSP/\d\.\d (\d{3})\b", answer)
    if known is None:
        return ": it does not answer in RTSP"
    code = known[1].decode()
    if code in ("401", "403"):
        return ": user or password is wrong" if has_user else ": it wants a user and a password"
    if code in MISSING:
        return f": it answers {code}, there is no stream of that name"
    if code in BUSY:
        return f": it answers {code}, it is busy"
    return "" if code.startswith("2") else f": it answers {code}"
