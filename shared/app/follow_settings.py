"""Taking up, while the service runs, what operators change in the file of the site's settings."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from moodstream.errors import MoodstreamError
from shared.bus.connection import Bus
from shared.settings import Settings, load
from shared.site_file import operator_fields

log = logging.getLogger("moodstream.app")

CHECK_EVERY_S = 0.5

S = TypeVar("S", bound=Settings)
Stamp = tuple[int, int, int] | None


async def follow_settings(bus: Bus, running: S, apply: Callable[[S], object]) -> None:
    """Give ``apply`` the running settings with what has changed in the file, until the process ends.

    What is wrong in the file is logged, and the settings in use stay; so do those that need a start.
    """
    fields = operator_fields(type(running))
    names = [name for name, extra in fields.items() if extra["operator"] == "live"]
    seen, before = await asyncio.to_thread(_stamp, running.site_settings), running
    while not bus.stopping.is_set():
        await asyncio.sleep(CHECK_EVERY_S)
        stamp = await asyncio.to_thread(_stamp, running.site_settings)
        if stamp == seen:
            continue
        seen = stamp
        try:
            after = await asyncio.to_thread(load, type(running), site_settings=running.site_settings)
            changed = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
            if changed:
                before = before.model_copy(update=changed)
                apply(before)
                log.info("the operator has set %s", ", ".join(sorted(changed)))
        except MoodstreamError as error:
            log.warning("keeping the settings in use: %s", error)


def _stamp(file: Path) -> Stamp:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
