"""``moodstream listen``, ``record``, ``replay-events`` and ``simulate``."""

import argparse
import os
import sys
from pathlib import Path

from services.cli.arguments import Commands, add, filters, positive, reading
from services.cli.connection import prefix, redis_url
from shared.errors import MoodstreamError


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    filters(reading(add(commands, "listen", listen, "Follow the events; moods, unless other types are named.")))
    text = "Write the events to a file, one a line, until Ctrl-C. Never a picture."
    filters(add(commands, "record", record, text)).add_argument("file", type=Path, metavar="FILE")
    text = "Publish recorded events again, as if they happened now."
    again = filters(add(commands, "replay-events", replay_events, text))
    again.add_argument("file", type=Path, metavar="FILE")
    again.add_argument("--speed", type=positive, default=1.0, help="2 is twice as fast")
    visits = filters(add(commands, "simulate", simulate, "Publish the events of visitors who do not exist."))
    visits.add_argument("--seed", type=int, default=1, help="the same seed makes the same visitors")
    visits.add_argument("--events", type=int, metavar="N", help="end after so many; else go on for ever")
    visits.add_argument("--speed", type=positive, default=1.0, help="2 is twice as fast")
    visits.add_argument("--print", action="store_true", help="print at once what a recording would hold")


def listen(given: argparse.Namespace) -> int:
    """Events as they come, until interrupted."""
    from shared.console import line
    from shared.live import follow_events
    from shared.recording import wanted

    takes = wanted(given.type or ["MoodChanged"], given.camera, given.mood)
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for event in filter(takes, follow_events(redis_url(), takes.kinds)):
        print(line(event, as_json=given.json, coloured=coloured), flush=True)
    return 0


def record(given: argparse.Namespace) -> int:
    """Events into a file, until interrupted."""
    from shared.live import follow_events
    from shared.recording import wanted

    takes = wanted(given.type, given.camera, given.mood)
    url = redis_url()
    try:
        with given.file.open("x", encoding="utf-8") as lines:
            for event in filter(takes, follow_events(url, takes.kinds)):
                lines.write(event.model_dump_json() + "\n")
                lines.flush()
    except FileExistsError:
        raise MoodstreamError(f"{given.file}: exists already; name another file") from None
    except OSError as error:
        raise MoodstreamError(f"{given.file}: {error.strerror}") from None
    return 0


def replay_events(given: argparse.Namespace) -> int:
    """Recorded events, published as if they happened now."""
    from shared.events import utc_now
    from shared.live import connected
    from shared.recording import anew, publish, read_recording, wanted

    takes = wanted(given.type, given.camera, given.mood)
    events = list(read_recording(given.file))
    with connected(redis_url()) as client:
        timed = anew(events, utc_now(), given.speed)
        print(f"{publish(client, prefix(), (one for one in timed if takes(one[1])))} events published")
    return 0


def simulate(given: argparse.Namespace) -> int:
    """Invented visitors, published or printed."""
    from itertools import islice

    from shared.events import utc_now
    from shared.live import connected
    from shared.recording import publish, wanted
    from shared.simulation import Visitors

    takes = wanted(given.type, given.camera, given.mood)
    visitors = Visitors(given.seed, utc_now(), speed=given.speed)
    timed = islice((one for one in visitors.events() if takes(one[1])), given.events)
    if given.print:
        for _, event in timed:
            print(event.model_dump_json(), flush=True)
        return 0
    with connected(redis_url()) as client:
        print(f"{publish(client, prefix(), timed)} events published")
    return 0
