"""The names under which a process may be reached. Pure.

A page of another site can make its own name point at this machine (DNS rebinding), and then speaks to us as if it were
ours. So a request must name us by an address, which no name can imitate, or by a name that is known to be ours.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence

from moodstream.errors import SettingError

LOCAL = "localhost"
SETTING = "MOODSTREAM_HOST_NAMES"
_NAME = r"[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9_])?"
_NAMES = re.compile(rf"{_NAME}(?:\.{_NAME})*", re.IGNORECASE)
_HOST = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+?)\.?(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)


def host_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The host that the headers of a request name, in small letters and without its port; an IPv6 address has no
    brackets. None where there is none, more than one, or one that cannot be parsed.
    """
    given = [value for name, value in headers if name.lower() == b"host"]
    if len(given) != 1 or len(given[0]) > 300:
        return None
    found = _HOST.fullmatch(given[0].decode("latin-1"))
    if found is None:
        return None
    host = found["host"].lower()
    if host.startswith("["):
        return host[1:-1] if is_address(host[1:-1]) else None
    return host if is_address(host) or _NAMES.fullmatch(host) else None


def is_address(host: str) -> bool:
    """Whether it is an IP address, as a browser writes it."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class HostNames:
    """Addresses, ``localhost``, this machine's own name (with ``.local`` too), and what the operator names."""

    def __init__(self, names: Sequence[str], own: Sequence[str] = ()) -> None:
        """``own`` are names that others in the same network of containers use, such as those of the services."""
        machine = socket.gethostname().lower()
        here = (LOCAL, machine, machine.partition(".")[0], f"{machine.partition('.')[0]}.local")
        self._names = {name.lower().rstrip(".") for name in (*here, *own, *names)} - {""}

    def allows(self, host: str | None) -> bool:
        return host is not None and (is_address(host) or host in self._names)


def parse_host_names(text: str) -> tuple[str, ...]:
    """Names separated by commas or spaces. Raises SettingError for what is no name, such as ``*``."""
    names = tuple(text.replace(",", " ").split())
    for name in names:
        if not _NAMES.fullmatch(name.rstrip(".")):
            raise SettingError(SETTING, f"{name!r} is not the name of a host, such as mood.example.org")
    return names
