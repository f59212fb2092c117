"""Other sites whose pages may use this one: overlays, panels of a house. None unless the operator lists them.

They may read, listen, choose and pick as a visitor does, and show the visitors' page in a frame. The operator's part
stays closed to them (``shared.web.operator``), and no password or certificate of a browser counts for them.
"""

import re

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?")


def parse_origins(text: str) -> frozenset[str]:
    """Origins as browsers name them, from a list with spaces or commas between. Raises ValueError with one line."""
    return frozenset(map(_origin, text.lower().replace(",", " ").split()))


def _origin(text: str) -> str:
    """Without a port that goes without saying."""
    if text in ("*", "null"):
        raise ValueError(f"{text} would be any page there is; name each origin")
    found = _ORIGIN.fullmatch(text)
    if found is None or int(found[3] or 1) > 65535:
        raise ValueError(f"{text[:100]!r} is no origin: it looks like https://panel.example or http://10.0.0.5:8123")
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" + (f":{port}" if port and int(port) != DEFAULT_PORTS[scheme] else "")


def cross_origin(origins: frozenset[str]) -> list[Middleware]:
    """What lets browsers hand the API's answers to pages of these origins; nothing where there are none.

    ``Authorization`` is not among the headers, and no page gets credentials: the operator's part is not for them.
    """
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=sorted(origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Content-Type", "Last-Event-ID"],
            allow_private_network=True,  # they are named: a public page may be one of them, and this an address at home
            expose_headers=["Retry-After"],
        )
    ]
