"""Where the MQTT broker is, as the settings name it."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from moodstream.errors import MoodstreamError
from moodstream.host_names import can_be_host


@dataclass(frozen=True)
class Address:
    """Where the broker is."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None


def parse_address(url: str, authority: Path | None = None) -> Address:
    """``mqtt://user:password@host:1883``, ``mqtts://`` with TLS, ``authority`` a PEM file. Raises MoodstreamError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("mqtt", "mqtts") or not can_be_host(parts.hostname or "") or port == 0:
        raise MoodstreamError("MOODSTREAM_MQTT_URL: must look like mqtt://user:password@host:1883, or mqtts://...")
    tls = _tls(authority) if parts.scheme == "mqtts" else None
    user, password = (unquote(one) if one else None for one in (parts.username, parts.password))
    return Address(parts.hostname or "", port or (8883 if tls else 1883), user, password, tls)


def _tls(authority: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:  # also what is no certificate
        reason = "is no PEM file" if isinstance(error, ssl.SSLError) else error.strerror
        raise MoodstreamError(f"MOODSTREAM_MQTT_CA: {authority}: {reason}") from None
