"""``moodstream dead``."""

import argparse
import json
from collections.abc import Callable
from typing import Any

from moodstream.errors import MoodstreamError
from services.cli.connection import prefix, redis_url
from services.cli.options import Commands, add_command, add_group, add_json
from services.cli.redis_client import connected
from shared.delivery.dead_letters import drop, letters, replay


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    dead = add_group(commands, "dead")
    add_json(add_command(dead, "list", dead_list, "List dead letters, one a line."))
    show = add_json(add_command(dead, "show", dead_show, "Show dead letters in full."))
    show.add_argument("letters", nargs="+", metavar="LETTER", help="a name from `dead list`")
    back = add_command(dead, "replay", dead_replay, "Put dead letters back on their streams: those named, or all.")
    back.add_argument("letters", nargs="*", metavar="LETTER", help="a name from `dead list`")
    drops = add_command(dead, "drop", dead_drop, "Delete dead letters for good.")
    drops.add_argument("letters", nargs="*", metavar="LETTER", help="a name from `dead list`")
    drops.add_argument("--all", action="store_true", help="delete all of them")


def dead_list(given: argparse.Namespace) -> int:
    """Dead letters of every stream."""
    for letter in _letters():
        text = f"{letter['letter']} ({letter['group']}): {letter['error']}"
        print(json.dumps(letter) if given.json else text)
    return 0


def dead_show(given: argparse.Namespace) -> int:
    """Named letters with all that they hold."""
    for letter in _named(given.letters):
        print(json.dumps(letter) if given.json else "\n".join(f"{name:<8}{text}" for name, text in letter.items()))
    return 0


def dead_replay(given: argparse.Namespace) -> int:
    """Put dead letters back on their streams."""
    chosen = _named(given.letters) if given.letters else _letters()
    print(f"{_with_each(replay, chosen)} put back")
    return 0


def dead_drop(given: argparse.Namespace) -> int:
    """Delete dead letters."""
    if given.all == bool(given.letters):
        raise MoodstreamError("dead drop: name the letters, or use --all")
    print(f"{_with_each(drop, _letters() if given.all else _named(given.letters))} deleted")
    return 0


def _letters() -> list[dict[str, str]]:
    with connected(redis_url()) as client:
        return list(letters(client, prefix()))


def _named(names: list[str]) -> list[dict[str, str]]:
    """Raises MoodstreamError for a name that no letter has, before anything is done."""
    found = {letter["letter"]: letter for letter in _letters()}
    for name in names:
        if name not in found:
            raise MoodstreamError(f"no such dead letter: {name} (`moodstream dead list` names them)")
    return [found[name] for name in names]


def _with_each(act: Callable[[Any, str, set[str]], int], chosen: list[dict[str, str]]) -> int:
    with connected(redis_url()) as client:
        return act(client, prefix(), {letter["letter"] for letter in chosen})
