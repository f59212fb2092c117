"""``moodstream openapi``."""

import argparse
import json

from services.cli.options import Commands, add_command


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    add_command(commands, "openapi", openapi, "Print the HTTP API as an OpenAPI document.")


def openapi(_: argparse.Namespace) -> int:
    """Print what docs/openapi.json holds."""
    from services.gateway.main import GatewaySettings, create_document
    from shared.settings import load

    print(json.dumps(create_document(load(GatewaySettings)), indent=2, ensure_ascii=False))
    return 0
