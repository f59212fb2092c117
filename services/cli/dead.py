"""``moodstream dead``."""

import argparse
import json
from collections.abc import Callable
from typing import Any

from moodstream.errors import MoodstreamError
from services.cli.arguments import Commands, add, add_group, reading
from services.cli.connection import prefix, redis_url


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    dead = add_group(commands, "dead", "Dead letters: what could not be handled, and why.")
    reading(add(dead, "list", dead_list, "A line for each letter."))
    show = reading(add(dead, "show", dead_show, "Whole letters."))
    show.add_argument("letters", nargs="+", metavar="LETTER", help="as `dead list` names it")
    back = add(dead, "replay", dead_replay, "Put letters back where they came from; all, unless some are named.")
    back.add_argument("letters", nargs="*", metavar="LETTER", help="as `dead list` names it")
    drop = add(dead, "drop", dead_drop, "Delete letters for good.")
    drop.add_argument("letters", nargs="*", metavar="LETTER", help="as `dead list` names it")
    drop.add_argument("--all", action="store_true", help="every one")


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
    from shared.delivery.dead_letters import replay

    chosen = _named(given.letters) if given.letters else _letters()
    print(f"{_with_each(replay, chosen)} put back")
    return 0


def dead_drop(given: argparse.Namespace) -> int:
    """Delete dead letters."""
    from shared.delivery.dead_letters import drop

    if given.all == bool(given.letters):
        raise MoodstreamError("dead drop: name the letters, or say --all")
    print(f"{_with_each(drop, _letters() if given.all else _named(given.letters))} deleted")
    return 0


def _letters() -> list[dict[str, str]]:
    from services.cli.terminal import connected
    from shared.delivery.dead_letters import letters

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
    from services.cli.terminal import connected

    with connected(redis_url()) as client:
        return act(client, prefix(), {letter["letter"] for letter in chosen})
