"""What the commands have in common: how they are added, and options that several take."""

import argparse
import sys
from collections.abc import Callable

Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers gives
Run = Callable[[argparse.Namespace], int]
"""A command: takes what was given, returns the exit code."""


def add_command(
    commands: "Commands[argparse.ArgumentParser]", name: str, run: Run, text: str
) -> argparse.ArgumentParser:
    one = commands.add_parser(name, help=text, description=text)
    one.set_defaults(command=run)
    return one


def add_group(
    commands: "Commands[argparse.ArgumentParser]", name: str, text: str
) -> "Commands[argparse.ArgumentParser]":
    """A command with commands of its own: ``moodstream songs import``."""
    group = commands.add_parser(name, help=text, description=text)
    return group.add_subparsers(required=True, metavar="WHAT")


def add_json(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
    one.add_argument("--json", action="store_true", help="print one JSON object per line")
    return one


def add_filters(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The same filters wherever events pass."""
    one.add_argument(
        "--type",
        type=event_type,
        action="append",
        metavar="TYPE",
        help="only events of this type, or `all`; repeatable",
    )
    one.add_argument("--camera", action="append", metavar="ID", help="only events of this camera; repeatable")
    one.add_argument("--mood", type=mood, action="append", metavar="MOOD", help="only events of this mood; repeatable")
    return one


def event_type(text: str) -> str:
    from moodstream.contracts.event_filter import ON_REDIS

    if text != "all" and text not in ON_REDIS:
        raise argparse.ArgumentTypeError(f"{text} is no type of event; choose from: {', '.join(ON_REDIS)}, all")
    return text


def mood(text: str) -> str:
    from moodstream.contracts.moods import Mood

    if text not in tuple(Mood):
        raise argparse.ArgumentTypeError(f"{text} is no mood; choose from: {', '.join(Mood)}")
    return text


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError("must be above 0, and at most 1000")
    return value


def print_note(as_json: bool, text: str) -> None:
    """Print to a person: on standard error where a program reads standard output."""
    print(text, file=sys.stderr if as_json else sys.stdout, flush=True)
