"""What the commands have in common: how they are added, and options that several take."""

import argparse
import sys
from collections.abc import Callable
from difflib import get_close_matches

from moodstream.contracts.event_filter import ON_REDIS
from moodstream.contracts.moods import Mood
from services.cli.command_list import TEXTS

Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers gives
Run = Callable[[argparse.Namespace], int]
"""A command: takes what was given, returns the exit code."""


class Parser(argparse.ArgumentParser):
    """Proposes the nearest word where one of several is misspelt, and lists them."""

    def _check_value(self, action: argparse.Action, value: object) -> None:  # argparse has no public hook for this
        if action.choices is None or value in action.choices:
            return
        known = [str(one) for one in action.choices]
        near = get_close_matches(str(value), known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"choose from: {', '.join(known)}"
        raise argparse.ArgumentError(action, f"{str(value)!r} is not known; {advice}")


def add_command(
    commands: "Commands[argparse.ArgumentParser]", name: str, run: Run, text: str | None = None
) -> argparse.ArgumentParser:
    """``text`` is for a command within a group; of the others, the list of commands says what they do."""
    text = text or TEXTS[name]
    one = commands.add_parser(name, help=text, description=text)
    one.set_defaults(command=run)
    return one


def add_group(commands: "Commands[argparse.ArgumentParser]", name: str) -> "Commands[argparse.ArgumentParser]":
    """A command with commands of its own: ``moodstream songs import``."""
    group = commands.add_parser(name, help=TEXTS[name], description=TEXTS[name])
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
    if text != "all" and text not in ON_REDIS:
        raise argparse.ArgumentTypeError(f"{text} is not an event type; choose from: {', '.join(ON_REDIS)}, all")
    return text


def mood(text: str) -> str:
    if text not in tuple(Mood):
        raise argparse.ArgumentTypeError(f"{text} is not a mood; choose from: {', '.join(Mood)}")
    return text


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError("must be above 0, and at most 1000")
    return value


def print_note(as_json: bool, text: str) -> None:
    """Print to a person: on standard error where a program reads standard output."""
    print(text, file=sys.stderr if as_json else sys.stdout, flush=True)
