"""``moodstream doctor`` and ``moodstream settings``."""

import argparse
import json
from collections.abc import Iterator
from importlib import import_module

from services.cli.arguments import Commands, add, reading
from services.cli.checks import SERVICES, Check, Finding, here
from shared.errors import EXIT_FAILED, MoodstreamError
from shared.settings import Settings

COMPOSE_SETTINGS = """
## Only with docker compose
# Folder with videos or a catalogue, seen by the services as /media.
# MOODSTREAM_MEDIA=./media
# Password of its Redis; letters and digits, since it becomes part of an address.
# MOODSTREAM_REDIS_PASSWORD=
# Port for signing in to Spotify.
# MOODSTREAM_PLAYER_PORT=8081
# Ports of the bridge: its page, and OSC control.
# MOODSTREAM_BRIDGE_PORT=8082
# MOODSTREAM_OSC_PORT=9001"""


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    reading(add(commands, "doctor", doctor, "What works here, what does not, and the command that cures it."))
    add(commands, "settings", settings, "Every setting with its default, in the form of a .env file.")


def doctor(given: argparse.Namespace) -> int:
    """Every part with the command that cures it; 1 when a needed one does not work."""
    failed = False
    for found in examine():
        failed |= found.state == "missing"
        if given.json:
            print(json.dumps(found.as_dict()), flush=True)
        else:
            print(f"{found.state:<9}{found.part}" + (f": {found.hint}" if found.hint else ""), flush=True)
            if found.cure:
                print(f"{'':<9}{found.cure}", flush=True)
    return EXIT_FAILED if failed else 0


def examine() -> Iterator[Finding]:
    """Look at everything that is installed here. Settings that cannot be read are a finding, too."""
    from services.cli.checks import machine, redis, senses

    checks: tuple[Check, ...] = (
        machine.check_parts,
        machine.check_settings,
        redis.check,
        senses.check_network,
        senses.check_catalogue,
        senses.check_player,
        senses.check_cameras,
        machine.check_port,
        machine.check_proxy,
        machine.check_memory,
        machine.check_disk,
    )
    for check in checks:
        try:
            yield from check()
        except MoodstreamError as error:
            name = str(error).partition(":")[0]
            cure = f"unset {name}" if name.startswith("MOODSTREAM_") else "moodstream settings"
            yield Finding("settings", "missing", str(error), cure)


def parts() -> dict[str, type[Settings]]:
    """The settings of every part that is installed here, in the order of .env.example."""
    from shared.settings import RunSettings

    found: dict[str, type[Settings]] = {"Common": RunSettings}
    for name in SERVICES:
        if here(name):
            found[name.capitalize()] = getattr(import_module(f"services.{name}.main"), f"{name.capitalize()}Settings")
    return found


def settings(_: argparse.Namespace) -> int:
    """Print what .env.example holds."""
    from shared.settings import example

    print(example(parts()))
    print(COMPOSE_SETTINGS)
    return 0
