"""``moodstream dead``."""

import argparse
import json

from services.cli.arguments import Commands, add, add_group, reading
from services.cli.connection import prefix, redis_url


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    dead = add_group(commands, "dead", "Dead letters.")
    reading(add(dead, "list", dead_list, "What could not be handled."))
    add(dead, "replay", dead_replay, "Put them back where they came from.")


def dead_list(given: argparse.Namespace) -> int:
    """Dead letters of every stream."""
    from shared.dead_letters import letters
    from shared.live import connected

    with connected(redis_url()) as client:
        for letter in letters(client, prefix()):
            text = f"{letter['stream']} {letter['entry']} ({letter['group']}): {letter['error']}"
            print(json.dumps(letter) if given.json else text)
    return 0


def dead_replay(_: argparse.Namespace) -> int:
    """Put dead letters back on their streams."""
    from shared.dead_letters import replay
    from shared.live import connected

    with connected(redis_url()) as client:
        print(f"{replay(client, prefix())} put back")
    return 0
