"""``moodstream``: the command line. Each command is a module of ``services.cli.commands``."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TextIO, cast

from moodstream import __version__
from moodstream.errors import MoodstreamError
from services.cli.commands import (
    acl,
    camera,
    dead,
    doctor,
    emotion,
    events,
    openapi,
    player,
    run,
    settings,
    setup,
    songs,
    voice,
    webhooks,
    words,
)
from services.cli.installed import what_is_missing
from services.cli.options import Run
from shared.exit_codes import EXIT_FAILED
from shared.plain_text import PlainStream, raw

COMMANDS = (
    run,
    setup,
    emotion,
    voice,
    words,
    camera,
    songs,
    player,
    events,
    webhooks,
    dead,
    acl,
    doctor,
    settings,
    openapi,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 1 failed, 2 wrong use, 70 to be restarted)."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, PlainStream(raw(stream))) for stream in before)
    try:
        return _run(arguments)
    finally:
        sys.stdout, sys.stderr = before


def _run(arguments: Sequence[str] | None) -> int:
    given = _parser().parse_args(arguments)
    command: Run = given.command
    try:
        return command(given)
    except MoodstreamError as error:
        print(f"moodstream: {error}", file=sys.stderr)
        return EXIT_FAILED
    except ModuleNotFoundError as error:
        print(f"moodstream: {what_is_missing(error)}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:  # the reader of our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="moodstream", description="A camera sees a face; its mood picks the music.")
    parser.add_argument("--version", action="version", version=f"moodstream {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for one in COMMANDS:
        one.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
