"""Why an RTSP camera does not open: FFmpeg keeps that to itself, so it is asked once more, without a password."""

import re
import socket
import ssl
from urllib.parse import SplitResult, urlsplit

PORTS = {"rtsp": 554, "rtsps": 322}
TIMEOUT_S = 1.0
MISSING = ("404", "454")
BUSY = ("453", "503")


def why_not(address: str, *, verify_tls: bool) -> str:
    """A few words after a colon, or nothing where the address is of another kind or the camera answers as it should."""
    try:
        parts = urlsplit(address)
        if parts.scheme.lower() not in PORTS or not parts.hostname:
            return ""
        answer = _describe(parts, verify_tls)
    except ssl.SSLCertVerificationError:
        return ": its certificate is not trusted"
    except ssl.SSLError:
        return ": it does not speak TLS"
    except socket.gaierror:
        return ": there is no host of that name"
    except ConnectionRefusedError:
        return ": nothing listens at that port"
    except TimeoutError:
        return ": it does not answer"
    except (OSError, ValueError):
        return ""
    return _meaning(answer, has_user=parts.username is not None)


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
