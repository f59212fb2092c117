"""From the streams to the queues of webhooks. MQTT and OSC, which tell states, follow without a group."""

from collections.abc import Sequence

from faststream.redis import RedisRouter

from services.bridge.receivers import PUBLIC
from services.bridge.webhooks import Webhook
from shared.bus import Bus
from shared.delivery import consume
from shared.events import Event

GROUP = "bridge"


def create_router(bus: Bus, webhooks: Sequence[Webhook]) -> RedisRouter:
    """The router: one handler per type of event that any receiver wants."""
    router = RedisRouter()
    for name in sorted({name for webhook in webhooks for name in webhook.receiver.events}):
        _queue(router, bus, PUBLIC[name], webhooks)
    return router


def _queue(router: RedisRouter, bus: Bus, kind: type[Event], webhooks: Sequence[Webhook]) -> None:
    @consume(router, bus, kind, GROUP, start="$", takes_expired=True)
    async def queue_for_receivers(event: Event) -> None:
        for webhook in webhooks:
            await webhook.put(event)
