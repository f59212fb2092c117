"""Only pages of this very server may command it: browsers name the page they come from, and that is compared."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def is_foreign(connection: HTTPConnection) -> bool:
    """Whether another site's page sent this. Programs that are no browsers send no origin and are let in.

    A trusted proxy may say in ``X-Forwarded-Host`` under which name the browser knows this server.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    proxied = connection.scope.get("state", {}).get("proxied", False)
    names = [connection.headers.get(name, "").lower() for name in ("host", *(("x-forwarded-host",) if proxied else ()))]
    return urlsplit(origin).netloc.lower() not in names
