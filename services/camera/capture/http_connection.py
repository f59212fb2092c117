"""Requests to a camera over HTTP: password, certificates, redirects, and why an answer cannot be used."""

import http.client
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from services.camera.capture.errors import SourceUnavailable
from services.camera.capture.http_password import PasswordHandler
from services.camera.capture.rtsp_reason import why_unreachable
from services.camera.rules.address import masked

TIMEOUT_S = 3.0
SAFE = "%/:=&?~#+!$,;'@()*[]"
"""Characters that an address may hold as they are; others, such as spaces, are percent-encoded."""
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers of a camera that may do better next time."""


class NotPictures(Exception):
    """The address gives something else, which FFmpeg may understand."""


class Refused(SourceUnavailable):
    """The camera answers with an error; ``busy`` when asking again may help."""

    def __init__(self, text: str, *, busy: bool) -> None:
        super().__init__(text)
        self.busy = busy


class Connection:
    """Asks one address again and again. Its password goes to that host alone."""

    def __init__(self, address: str, *, verify_tls: bool, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(address)
        netloc = parts.netloc.rpartition("@")[2]
        path, query = quote(parts.path, safe=SAFE), quote(parts.query, safe=SAFE)
        self._url = urlunsplit(parts._replace(netloc=netloc, path=path, query=query, fragment=""))
        self.name, self._timeout_s = masked(address), timeout_s
        trust = ssl.create_default_context()
        if not verify_tls:
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.ProxyHandler({}),  # cameras are in the local network
            urllib.request.HTTPSHandler(context=trust),
            _SameHost(),
            urllib.request.HTTPCookieProcessor(),  # some send us on until they see theirs
        ]
        if parts.username is not None:
            handlers.append(PasswordHandler(unquote(parts.username), unquote(parts.password or "")))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self) -> Any:
        """An open answer. Raises SourceUnavailable, and NotPictures for what is not quite HTTP."""
        try:
            return self._opener.open(self._url, timeout=self._timeout_s)
        except urllib.error.HTTPError as error:
            code = error.code
            error.close()
            hint = ": user or password is wrong" if code in (401, 403) else ""
            raise Refused(f"cannot open {self.name}: it answers {code}{hint}", busy=code in BUSY) from None
        except http.client.BadStatusLine as error:
            if str(error).startswith("ICY") and self._url.startswith("http:"):  # as SHOUTcast answers
                raise NotPictures from None
            raise SourceUnavailable(f"cannot open {self.name}: it does not answer in HTTP") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            raise SourceUnavailable(f"cannot open {self.name}{why_unreachable(cause)}") from None


class _SameHost(urllib.request.HTTPRedirectHandler):
    """A camera may send us elsewhere on itself: not to another host, and not from TLS to no TLS."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        fp.close()
        if before.hostname != after.hostname or (before.scheme == "https" and after.scheme != "https"):
            raise SourceUnavailable(f"cannot open {masked(req.full_url)}: it sends us to another address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
