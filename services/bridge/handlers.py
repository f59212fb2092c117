"""From the streams to the queues of webhooks. MQTT and OSC, which show states, follow without a consumer group."""

from collections.abc import Sequence

from faststream.redis import RedisRouter

from moodstream.contracts.event_filter import KINDS
from moodstream.contracts.events import Event
from services.bridge.webhooks.workers import Webhook
from shared.bus.connection import Bus
from shared.delivery.consume import consume

GROUP = "bridge"


def create_router(bus: Bus, webhooks: Sequence[Webhook]) -> RedisRouter:
    """The router: one handler per type of event that any receiver wants."""
    router = RedisRouter()
    for name in sorted({name for webhook in webhooks for name in webhook.receiver.events}):
        _queue(router, bus, KINDS[name], webhooks)
    return router


def _queue(router: RedisRouter, bus: Bus, kind: type[Event], webhooks: Sequence[Webhook]) -> None:
    @consume(router, bus, kind, GROUP, start="$", takes_expired=True)
    async def queue_for_receivers(event: Event) -> None:
        for webhook in webhooks:
            await webhook.put(event)
