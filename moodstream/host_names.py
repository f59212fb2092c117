"""Whether a text can be the name of a host at all, so that nobody waits for one that cannot."""

import ipaddress
from urllib.parse import urlsplit


def can_be_host(text: str) -> bool:
    """An IP address can, and any name whose parts are neither empty nor longer than DNS allows, in any alphabet."""
    try:
        if ":" in text:
            ipaddress.ip_address(text)
        text.encode("idna")
    except ValueError:
        return False
    return text.strip(".") != "" and not any(sign.isspace() for sign in text)


def host_and_port(text: str, usual_port: int) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[::1]:port`` taken apart. Raises ValueError."""
    parts = urlsplit(f"//{text}")
    host = parts.hostname or ""
    if not can_be_host(host):
        raise ValueError("a host is missing" if not host else "a host cannot be called so")
    return host, parts.port or usual_port
