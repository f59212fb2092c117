"""Where OSC goes to and comes in, as the settings name it."""

from moodstream.errors import MoodstreamError
from moodstream.host_names import can_be_host

Endpoint = tuple[str, int]
"""host and port"""


def parse_endpoints(text: str, setting: str) -> list[Endpoint]:
    """``host:port host:port ...``. Raises MoodstreamError."""
    endpoints = []
    for one in text.replace(",", " ").split():
        host, _, port = one.rpartition(":")
        host = host.strip("[]")
        if not can_be_host(host) or not port.isdecimal() or not 0 < int(port) < 65536:
            raise MoodstreamError(f"{setting}: must look like 127.0.0.1:9000, not {one!r}")
        endpoints.append((host, int(port)))
    return endpoints
