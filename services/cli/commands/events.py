"""``moodstream listen``, ``record``, ``replay-events`` and ``simulate``."""

import argparse
import os
import sys
from itertools import islice
from pathlib import Path

from moodstream.contracts.event_filter import HEARD, ON_REDIS, event_filter
from moodstream.contracts.events import utc_now
from moodstream.errors import MoodstreamError
from services.cli.connection import prefix, redis_url
from services.cli.following import follow_events
from services.cli.options import Commands, add_command, add_filters, add_json, positive
from services.cli.redis_client import connected
from shared.contracts.event_lines import line
from shared.contracts.recording import as_new_events, publish, read_recording
from shared.contracts.simulation import Visitors
from shared.plain_text import raw


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_filters(add_json(add_command(commands, "listen", listen)))
    add_filters(add_command(commands, "record", record)).add_argument("file", type=Path, metavar="FILE")
    again = add_filters(add_command(commands, "replay-events", replay_events))
    again.add_argument("file", type=Path, metavar="FILE")
    again.add_argument("--speed", type=positive, default=1.0, help="2 plays twice as fast (default: 1)")
    visits = add_filters(add_command(commands, "simulate", simulate))
    visits.add_argument("--seed", type=int, default=1, help="the same seed makes the same visitors (default: 1)")
    visits.add_argument("--events", type=int, metavar="N", help="stop after this many events (default: never)")
    visits.add_argument("--speed", type=positive, default=1.0, help="2 plays twice as fast (default: 1)")
    visits.add_argument(
        "--heard",
        action="store_true",
        help="visitors write and speak, too: WordsRead and VoiceRead, which an emotion service that runs acts upon",
    )
    visits.add_argument("--print", action="store_true", help="print the events at once instead of publishing them")


def listen(given: argparse.Namespace) -> int:
    """Print events as they come, until interrupted."""
    chosen = event_filter(given.type or ["MoodChanged"], given.camera, given.mood, ON_REDIS)
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for event in filter(chosen, follow_events(redis_url(), chosen.kinds)):
        print(line(event, as_json=given.json, coloured=coloured), file=raw(sys.stdout), flush=True)
    return 0


def record(given: argparse.Namespace) -> int:
    """Write events to a file, until interrupted."""
    chosen = event_filter(given.type, given.camera, given.mood, ON_REDIS)
    url = redis_url()
    try:
        with given.file.open("x", encoding="utf-8") as lines:
            for event in filter(chosen, follow_events(url, chosen.kinds)):
                lines.write(event.model_dump_json() + "\n")
                lines.flush()
    except FileExistsError:
        raise MoodstreamError(f"{given.file}: exists already; name another file") from None
    except OSError as error:
        raise MoodstreamError(f"{given.file}: {error.strerror}") from None
    return 0


def replay_events(given: argparse.Namespace) -> int:
    """Publish recorded events as if they happened now."""
    chosen = event_filter(given.type, given.camera, given.mood, ON_REDIS)
    events = list(read_recording(given.file))
    with connected(redis_url()) as client:
        timed = as_new_events(events, utc_now(), given.speed)
        print(f"{publish(client, prefix(), (one for one in timed if chosen(one[1])))} events published")
    return 0


def simulate(given: argparse.Namespace) -> int:
    """Publish or print events of simulated visitors."""
    heard = [kind.__name__ for kind in HEARD]
    types = ["all", *heard] if given.heard and not given.type else given.type
    chosen = event_filter(types, given.camera, given.mood, ON_REDIS)
    hears = given.heard or not set(heard).isdisjoint(given.type or ())
    visitors = Visitors(given.seed, utc_now(), speed=given.speed, heard=hears)
    timed = islice((one for one in visitors.events() if chosen(one[1])), given.events)
    if given.print:
        for _, event in timed:
            print(event.model_dump_json(), flush=True)
        return 0
    with connected(redis_url()) as client:
        print(f"{publish(client, prefix(), timed)} events published")
    return 0
