"""``moodstream webhooks``."""

import argparse
import json

from services.bridge.webhooks.outbox import enable, read_standing
from services.cli.connection import prefix, redis_url
from services.cli.options import Commands, add_command, add_group, add_json
from services.cli.redis_client import connected
from shared.exit_codes import EXIT_FAILED
from shared.web.webhook_secret import new_secret

# `secret` works without the packages of the bridge, so the other commands import what needs them.


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    hooks = add_group(commands, "webhooks")
    add_json(add_command(hooks, "list", webhooks_list, "List the receivers with the state of each."))
    for name, run, text in (
        ("test", webhooks_test, "Send a test message to a receiver, and print its answer."),
        ("enable", webhooks_enable, "Send again to a receiver that answered 410 Gone."),
    ):
        add_command(hooks, name, run, text).add_argument("name", metavar="NAME")
    add_command(hooks, "secret", webhooks_secret, "Make a new signing secret.")


def webhooks_list(given: argparse.Namespace) -> int:
    """List every receiver with what waits for it."""
    from services.bridge.webhooks.commands import configured_receivers

    with connected(redis_url()) as client:
        for receiver in configured_receivers():
            state = read_standing(client, prefix(), receiver.name)
            text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in state.items() if value != "")
            found = {"name": receiver.name, "url": receiver.url, **state}
            print(json.dumps(found) if given.json else f"{receiver.name}  {receiver.url}: {text}")
    return 0


def webhooks_test(given: argparse.Namespace) -> int:
    """Send one test message. Returns 1 when the receiver does not accept it."""
    from services.bridge.webhooks.commands import receiver_named, send_one_test

    answer = send_one_test(receiver_named(given.name))
    print(f"{given.name}: {answer.reason}")
    return 0 if answer.accepted else EXIT_FAILED


def webhooks_enable(given: argparse.Namespace) -> int:
    """Send again to a receiver."""
    from services.bridge.webhooks.commands import receiver_named

    with connected(redis_url()) as client:
        enable(client, prefix(), receiver_named(given.name).name)
    return 0


def webhooks_secret(_: argparse.Namespace) -> int:
    """Print a new secret."""
    print(new_secret())
    return 0
