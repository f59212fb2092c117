"""``moodstream settings``."""

import argparse

from services.cli.options import Commands, add_command


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_command(commands, "settings", settings, "Print every setting with its default, as the text of a .env file.")


def settings(_: argparse.Namespace) -> int:
    """Print what .env.example holds."""
    from services.cli.all_settings import COMPOSE_SETTINGS, settings_by_part
    from shared.settings import example

    print(example(settings_by_part()))
    print(COMPOSE_SETTINGS)
    return 0
