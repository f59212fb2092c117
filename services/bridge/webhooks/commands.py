"""What the command line does with webhooks."""

import asyncio

from moodstream.errors import MoodstreamError
from services.bridge.main import BridgeSettings
from services.bridge.webhooks.receivers import Receiver, read_receivers
from services.bridge.webhooks.sender import Answer, send_test
from shared.settings import load


def configured_receivers() -> tuple[Receiver, ...]:
    """All that are configured. Raises MoodstreamError when none are."""
    file = load(BridgeSettings).webhooks
    if file is None:
        raise MoodstreamError("no webhooks are configured: set MOODSTREAM_WEBHOOKS")
    return read_receivers(file)


def receiver_named(name: str) -> Receiver:
    """Raises MoodstreamError when there is none of that name."""
    known = {one.name: one for one in configured_receivers()}
    if name not in known:
        raise MoodstreamError(f"no webhook is called {name}; there are {', '.join(known) or 'none'}")
    return known[name]


def send_one_test(receiver: Receiver) -> Answer:
    """One test message; what became of it."""
    return asyncio.run(send_test(receiver))
