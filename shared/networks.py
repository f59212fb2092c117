"""Addresses of networks: which are trusted, which are one holder's, and which are public. Pure."""

import ipaddress
from dataclasses import dataclass, field

from moodstream.errors import SettingError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_of(host: str) -> str:
    """What counts as one: an IPv4 address, the /64 network of an IPv6 address, or else the text itself.

    Whoever has one IPv6 address has its whole network. IPv4 addresses that are written as IPv6 count as IPv4.
    """
    try:
        known = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is None:
            return str(ipaddress.ip_network((known, 64), strict=False))
        known = known.ipv4_mapped
    return str(known)


_UNICAST6 = ipaddress.IPv6Network("2000::/3")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = tuple(ipaddress.ip_network(one) for one in ("3fff::/20", "192.88.99.0/24"))
"""Documentation, and the relays of 6to4: later, or more cautious, than Python's own tables."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, also where it carries one of IPv4 inside.

    Of IPv6 only what is given to holders in the internet (2000::/3) counts, and what is translated from public IPv4:
    every other form is private somewhere.
    """
    known = ipaddress.ip_address(address.partition("%")[0])
    if any(known in part for part in _NOT_PUBLIC):
        return False
    if isinstance(known, ipaddress.IPv6Address):
        if (inside := _inside(known)) is not None:
            return is_public(str(inside))
        if known not in _UNICAST6:
            return False
    return known.is_global and not known.is_multicast


def _inside(known: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for or leads to."""
    low = ipaddress.IPv4Address(int(known) & 0xFFFF_FFFF)
    if known in _TRANSLATED or (int(known) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return low
    return known.ipv4_mapped or known.sixtofour or (known.teredo[1] if known.teredo else None)


def is_here(host: str) -> bool:
    """Whether it is this machine itself, also over a socket of its own."""
    try:
        return not host or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Networks:
    """A set of networks; ``host in networks`` asks whether an address lies in one."""

    parts: tuple[Network, ...] = field(default=())

    def __contains__(self, host: object) -> bool:
        try:
            known = ipaddress.ip_address(str(host))
        except ValueError:
            return False
        return any(known in part for part in self.parts)


def parse_networks(text: str, setting: str) -> Networks:
    """Addresses and networks, separated by commas. Raises SettingError for anything else.

    ``*``, ``0.0.0.0/0`` and ``::/0`` are refused: with them everybody could choose the address that they come from.
    """
    parts: list[Network] = []
    for one in filter(None, (part.strip() for part in text.split(","))):
        try:
            network = ipaddress.ip_network(one)
        except ValueError:
            raise SettingError(
                setting, f"{one!r} is no address and no network, such as 10.0.0.7 or 10.0.0.0/8"
            ) from None
        if network.prefixlen < (8 if network.version == 4 else 16):
            raise SettingError(setting, f"{one} is too wide: everybody could choose the address that they come from")
        parts.append(network)
    return Networks(tuple(parts))
