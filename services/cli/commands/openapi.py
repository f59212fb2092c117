"""``moodstream openapi``."""

import argparse
import json

from services.cli.options import Commands, add_command
from services.gateway.main import GatewaySettings, create_document
from shared.settings import load


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_command(commands, "openapi", openapi)


def openapi(_: argparse.Namespace) -> int:
    """Print what docs/openapi.json holds."""
    print(json.dumps(create_document(load(GatewaySettings)), indent=2, ensure_ascii=False))
    return 0
