"""``moodstream webhooks``."""

import argparse
import json

from services.cli.arguments import Commands, add, add_group, reading
from services.cli.connection import prefix, redis_url
from shared.exit_codes import EXIT_FAILED


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    hooks = add_group(commands, "webhooks", "Receivers of webhooks.")
    reading(add(hooks, "list", webhooks_list, "How it stands with each."))
    for name, run, text in (
        ("test", webhooks_test, "Send one test message now, and say what came back."),
        ("enable", webhooks_enable, "Send again to a receiver that had said it was gone."),
    ):
        add(hooks, name, run, text).add_argument("name", metavar="NAME")
    add(hooks, "secret", webhooks_secret, "Make a secret to sign with.")


def webhooks_list(given: argparse.Namespace) -> int:
    """Every receiver with what waits for it."""
    from services.bridge.webhooks.commands import configured_receivers
    from services.bridge.webhooks.outbox import read_standing
    from services.cli.terminal import connected

    with connected(redis_url()) as client:
        for receiver in configured_receivers():
            state = read_standing(client, prefix(), receiver.name)
            text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in state.items() if value != "")
            found = {"name": receiver.name, "url": receiver.url, **state}
            print(json.dumps(found) if given.json else f"{receiver.name}  {receiver.url}: {text}")
    return 0


def webhooks_test(given: argparse.Namespace) -> int:
    """One test message; 1 when the receiver does not accept it."""
    from services.bridge.webhooks.commands import receiver_named, send_one_test

    answer = send_one_test(receiver_named(given.name))
    print(f"{given.name}: {answer.reason}")
    return 0 if answer.accepted else EXIT_FAILED


def webhooks_enable(given: argparse.Namespace) -> int:
    """Send again to a receiver."""
    from services.bridge.webhooks.commands import receiver_named
    from services.bridge.webhooks.outbox import enable
    from services.cli.terminal import connected

    with connected(redis_url()) as client:
        enable(client, prefix(), receiver_named(given.name).name)
    return 0


def webhooks_secret(_: argparse.Namespace) -> int:
    """A new secret."""
    from services.bridge.webhooks.receivers import new_secret

    print(new_secret())
    return 0
