"""``moodstream settings``."""

import argparse

from services.cli.all_settings import COMPOSE_SETTINGS, settings_by_part
from services.cli.options import Commands, add_command
from shared.settings import example


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_command(commands, "settings", settings)


def settings(_: argparse.Namespace) -> int:
    """Print what .env.example holds."""
    print(example(settings_by_part()))
    print(COMPOSE_SETTINGS)
    return 0
