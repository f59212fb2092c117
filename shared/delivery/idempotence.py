"""At least once becomes effectively once: a group remembers for ten minutes the ids that it has done."""

from typing import Any

from faststream import BaseMiddleware
from faststream.message import StreamMessage

from shared.bus.message_format import JSON

WINDOW_S = 600


class Idempotence(BaseMiddleware):
    """Acknowledges events that this consumer group has done before; the handler does not see them again."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        body = await msg.decode() if msg.content_type == JSON else None
        if not isinstance(body, dict) or "id" not in body:
            return await call_next(msg)
        key = f"{msg.raw_message['channel']}:done:{msg.group}:{body['id']}"
        if await msg.consumer.get(key):
            self.context.get("bus").metrics.count_skipped(body.get("type"), msg.group, "done before")
            return None
        result = await call_next(msg)
        channel, entry_ids = msg.raw_message["channel"], msg.raw_message["message_ids"]
        async with msg.consumer.pipeline(transaction=True) as both:  # in one round trip
            both.set(key, b"1", ex=WINDOW_S)
            both.xack(channel, msg.group, *entry_ids)
            await both.execute()
        await StreamMessage.ack(msg)  # FastStream need not do it again
        return result
