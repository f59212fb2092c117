"""``moodstream doctor``."""

import argparse
import json
from collections.abc import Iterator

from moodstream.errors import MoodstreamError, SettingError
from services.cli.checks import Check, Finding
from services.cli.installed import what_is_missing
from services.cli.options import Commands, add_command, add_json
from shared.exit_codes import EXIT_FAILED


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_json(add_command(commands, "doctor", doctor))


def doctor(given: argparse.Namespace) -> int:
    """Print every part with the command that fixes it. Returns 1 when a needed one does not work."""
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
    """Check everything that is installed here. Settings that cannot be read are a finding, too."""
    from services.cli.checks import machine, redis, senses, voice

    checks: tuple[Check, ...] = (
        machine.check_parts,
        machine.check_settings,
        redis.check,
        senses.check_model,
        voice.check,
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
        except ModuleNotFoundError as error:
            yield Finding("packages", "missing", what_is_missing(error), "pip install 'moodstream[run]'")
        except MoodstreamError as error:
            cure = f"unset {error.setting}" if isinstance(error, SettingError) else "moodstream settings"
            yield Finding("settings", "missing", str(error), cure)
