"""The site's time zone, by which its clocks go: opening hours, seasons, reports, parts of the day."""

import os
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from moodstream.errors import SettingError

TIME_ZONE_TEXT = (
    "Time zone of the site, such as Europe/Berlin, for its opening hours, seasons and parts of the day; empty: this "
    "machine's own."
)
"""What the setting is for, in each service that has it."""


def time_zone_of(name: str) -> tzinfo:
    """The time zone of that name, or this machine's own. Raises SettingError."""
    try:
        return ZoneInfo(name) if name else _own_zone()
    except (KeyError, ValueError, OSError):
        raise SettingError("MOODSTREAM_TIME_ZONE", f"{name!r} is no time zone such as Europe/Berlin") from None


def _own_zone() -> tzinfo:
    """With its rules for summer time, where this machine has them."""
    if name := os.environ.get("TZ"):
        return ZoneInfo(name.removeprefix(":"))
    file = Path("/etc/localtime")
    if file.exists():
        with file.open("rb") as rules:
            return ZoneInfo.from_file(rules)
    return UTC
