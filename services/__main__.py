"""``moodstream``: the command line. ``services.cli.command_list`` names the commands."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO, cast

from moodstream import __version__
from moodstream.errors import MoodstreamError
from services.cli.command_list import COMMANDS, RUN_CHILD
from services.cli.installed import what_is_missing
from services.cli.options import Parser, Run
from shared.exit_codes import EXIT_FAILED
from shared.plain_text import PlainStream, raw


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 1 failed, 2 wrong use, 70 to be restarted)."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, PlainStream(raw(stream))) for stream in before)
    try:
        return _run(arguments)
    finally:
        sys.stdout, sys.stderr = before


def _run(arguments: Sequence[str] | None) -> int:
    try:
        given = _parser(sys.argv[1:] if arguments is None else arguments).parse_args(arguments)
        command: Run = given.command
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


def _parser(arguments: Sequence[str]) -> Parser:
    """Knows all commands, but the arguments of the one that is asked for alone: its module is the only one imported."""
    parser = Parser(prog="moodstream", description="A camera sees a face; its mood picks the music.")
    parser.add_argument("--version", action="version", version=f"moodstream {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((one for one in arguments if not one.startswith("-")), None)
    for module, names in COMMANDS.items():
        if asked in names:
            import_module(f"services.cli.commands.{module}").add_commands(commands)
        else:
            for name, text in names.items():
                commands.add_parser(name, help=text)
    if asked == RUN_CHILD:
        import_module("services.cli.commands.run_child").add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
