"""The lines that `moodstream run` prints: one per event."""

import os
import sys
from collections.abc import Callable

from moodstream.contracts.event_filter import SHOWN
from shared.app.jobs import Job
from shared.app.service import Service
from shared.bus.connection import Bus
from shared.contracts.event_lines import line


def print_events(bus: Bus, *, as_json: bool, leave: Callable[[], None], first: Job) -> Service:
    """A service that prints a line per event, after ``first`` is done.

    ``leave`` is called when the reader of the lines has had enough.
    """

    async def show() -> None:
        await first()
        try:
            async for entry in bus.follow({event: "0-0" if as_json else await bus.last_id(event) for event in SHOWN}):
                if entry is not None:
                    print(line(entry[1], as_json=as_json), flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            leave()

    return Service("console", background=[show], publishes_status=False)
