"""``moodstream listen``, ``record``, ``replay-events`` and ``simulate``."""

import argparse
import os
import sys
from pathlib import Path

from moodstream.errors import MoodstreamError
from services.cli.arguments import Commands, add, filters, positive, reading
from services.cli.connection import prefix, redis_url


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
    from moodstream.contracts.event_filter import wanted
    from services.cli.terminal import follow_events
    from shared.contracts.event_lines import line

    takes = wanted(given.type or ["MoodChanged"], given.camera, given.mood)
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for event in filter(takes, follow_events(redis_url(), takes.kinds)):
        print(line(event, as_json=given.json, coloured=coloured), flush=True)
    return 0


def record(given: argparse.Namespace) -> int:
    """Events into a file, until interrupted."""
    from moodstream.contracts.event_filter import wanted
    from services.cli.terminal import follow_events

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
    from moodstream.contracts.event_filter import wanted
    from moodstream.contracts.events import utc_now
    from services.cli.terminal import connected
    from shared.contracts.recording import anew, publish, read_recording

    takes = wanted(given.type, given.camera, given.mood)
    events = list(read_recording(given.file))
    with connected(redis_url()) as client:
        timed = anew(events, utc_now(), given.speed)
        print(f"{publish(client, prefix(), (one for one in timed if takes(one[1])))} events published")
    return 0


def simulate(given: argparse.Namespace) -> int:
    """Invented visitors, published or printed."""
    from itertools import islice

    from moodstream.contracts.event_filter import wanted
    from moodstream.contracts.events import utc_now
    from services.cli.terminal import connected
    from shared.contracts.recording import publish
    from shared.contracts.simulation import Visitors

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
