"""``moodstream _services``: the child of ``moodstream run``, with every service in it."""

import argparse

from services.cli.command_list import RUN_CHILD
from services.cli.options import Commands
from services.cli.run.child import run_services


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    child = commands.add_parser(RUN_CHILD)
    child.add_argument("--once", action="store_true")
    child.add_argument("--json", action="store_true")
    child.set_defaults(command=run_child)


def run_child(given: argparse.Namespace) -> int:
    """Every service in this process, until the parent ends it."""
    return run_services(as_json=given.json, once=given.once)
