"""A camera's password over HTTP: Basic (RFC 7617) and Digest (RFC 7616), with characters of any script.

The standard library's handlers know MD5 alone, look at the first challenge alone, and raise for what they do not know.
"""

import hashlib
import os
import re
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

DIGESTS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
KEEP = "surrogateescape"
_SCHEME = re.compile(r"([A-Za-z][\w-]*)(?:\s+([^\s=].*))?$", re.DOTALL)
"""A scheme, alone or before its first field; a field has its equals sign within the first word."""
STRONGEST_FIRST = ("SHA-512-256", "SHA-256", "MD5")


class PasswordHandler(urllib.request.BaseHandler):
    """Answers the first challenge of a request with the strongest way that both sides know.

    The requests of a redirect are new ones; that they stay on the same host is for another handler to see to.
    """

    handler_order = 490  # as the standard library's: before errors are raised

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password

    def http_error_401(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> Any:
        """None, which becomes an HTTPError, when the password was refused or no known way was offered."""
        challenges = [_text(header) for header in headers.get_all("www-authenticate") or []]
        answer = self.answer(req.get_method(), req.selector, challenges)
        if req.has_header("Authorization") or answer is None:
            return None
        fp.close()
        req.add_unredirected_header("Authorization", answer.encode(errors=KEEP).decode("latin-1"))
        return self.parent.open(req, timeout=req.timeout)

    def answer(self, method: str, path: str, challenges: list[str]) -> str | None:
        """The header that answers the best of the challenges."""
        ways: dict[str, Mapping[str, str]] = {}
        for scheme, given in (one for header in challenges for one in _ways(header)):
            if scheme == "basic":
                ways.setdefault("Basic", {})
            elif scheme == "digest" and (fields := _fields(given)):
                ways.setdefault(fields.get("algorithm", "MD5").upper().removesuffix("-SESS"), fields)
        for algorithm in STRONGEST_FIRST:
            if algorithm in ways and _is_known(algorithm):
                return self._digest(algorithm, method, path, ways[algorithm])
        if "Basic" in ways:
            return "Basic " + b64encode(f"{self._user}:{self._password}".encode()).decode()
        return None

    def _digest(self, algorithm: str, method: str, path: str, asked: Mapping[str, str]) -> str:
        def digest(text: str) -> str:
            return hashlib.new(DIGESTS[algorithm], text.encode(errors=KEEP), usedforsecurity=False).hexdigest()

        given, nonce, count, own = asked.get("algorithm"), asked["nonce"], "00000001", os.urandom(8).hex()
        identity = digest(f"{self._user}:{asked['realm']}:{self._password}")
        if given and given.upper().endswith("-SESS"):
            identity = digest(f"{identity}:{nonce}:{own}")
        offered = [one.strip().lower() for one in asked.get("qop", "").split(",")]
        qop = next((one for one in ("auth", "auth-int") if one in offered), "")
        act = digest(f"{method}:{path}" + (f":{digest('')}" if qop == "auth-int" else ""))  # a request has no body
        fields = {"username": self._user, "realm": asked["realm"], "nonce": nonce, "uri": path}
        bare = {}
        if qop:
            fields |= {"cnonce": own, "response": digest(f"{identity}:{nonce}:{count}:{own}:{qop}:{act}")}
            bare = {"qop": qop, "nc": count}
        else:
            fields["response"] = digest(f"{identity}:{nonce}:{act}")
        if "opaque" in asked:
            fields["opaque"] = asked["opaque"]
        if given:
            bare["algorithm"] = given
        quoted = [f'{name}="{_escaped(value)}"' for name, value in fields.items()]
        return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in bare.items())])


def _text(header: str) -> str:
    """What the bytes of a header say, which Python has read as Latin-1; what is no UTF-8 goes back as it came."""
    return header.encode("latin-1").decode(errors=KEEP)


def _ways(header: str) -> Iterator[tuple[str, list[str]]]:
    """Scheme in small letters and fields of each challenge; several may stand in one header."""
    scheme, fields = "", list[str]()
    for part in parse_http_list(header):
        if begins := _SCHEME.match(part):
            if scheme:
                yield scheme, fields
            scheme, fields = begins[1].lower(), [begins[2]] if begins[2] else []
        else:
            fields.append(part)
    if scheme:
        yield scheme, fields


def _fields(given: list[str]) -> dict[str, str]:
    """The fields of a challenge by their names in small letters; none where it makes no sense."""
    named = ["=".join(part.strip() for part in one.split("=", 1)) for one in given if "=" in one]
    try:
        fields = {name.lower(): value for name, value in parse_keqv_list(named).items()}
    except (ValueError, IndexError):
        return {}
    return fields if {"realm", "nonce"} <= fields.keys() else {}


def _is_known(algorithm: str) -> bool:
    return DIGESTS[algorithm] in hashlib.algorithms_available


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
