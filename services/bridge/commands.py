"""What a person at a terminal asks of webhooks."""

import asyncio

from services.bridge.main import BridgeSettings
from services.bridge.receivers import Receiver, read_receivers
from services.bridge.sender import Answer, Sender, payload
from shared.errors import MoodstreamError
from shared.events import StatusChanged
from shared.settings import load


def receivers() -> tuple[Receiver, ...]:
    """All that are configured. Raises MoodstreamError when none are."""
    file = load(BridgeSettings).webhooks
    if file is None:
        raise MoodstreamError("no webhooks are configured: set MOODSTREAM_WEBHOOKS")
    return read_receivers(file)


def receiver_named(name: str) -> Receiver:
    """Raises MoodstreamError when there is none of that name."""
    known = {one.name: one for one in receivers()}
    if name not in known:
        raise MoodstreamError(f"no webhook is called {name}; there are {', '.join(known) or 'none'}")
    return known[name]


def send_test(receiver: Receiver) -> Answer:
    """Send a harmless event, signed as all others, once and past the queue."""

    async def send() -> Answer:
        event = StatusChanged(service="bridge", part=receiver.name, state="online", reason="test")
        sender = Sender(receiver)
        try:
            return await sender.send(event.id, payload(event))
        finally:
            await sender.close()

    return asyncio.run(send())
