"""Only pages of this very server may command it: browsers name the page they come from, and that is compared."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def is_foreign(connection: HTTPConnection) -> bool:
    """Whether another site's page sent this. Programs that are no browsers send no origin and are let in."""
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower()
