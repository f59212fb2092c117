"""What has expired asks for nothing any more: a group made anew at id 0 replays nothing old into the room."""

import logging
from datetime import datetime
from typing import Any

from faststream import BaseMiddleware

from moodstream.contracts.events import utc_now
from shared.bus.message_format import JSON
from shared.bus.metrics import event_type_label
from shared.bus.traces import trace_of

log = logging.getLogger("moodstream.delivery")


class AgeLimit(BaseMiddleware):
    """Acknowledges, without a word to the handler, events whose ``expires_at`` has passed."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        body = await msg.decode() if msg.content_type == JSON else None
        if getattr(self.context.get("handler_").stream_sub, "takes_expired", False):
            return await call_next(msg)
        if isinstance(body, dict) and _expired(body.get("expires_at")):
            log.debug("expired %s %s was dropped", event_type_label(body.get("type")), trace_of(body.get("id")))
            self.context.get("bus").metrics.count_skipped(body.get("type"), msg.group, "expired")
            return None
        return await call_next(msg)


def _expired(moment: Any) -> bool:
    if not isinstance(moment, str):
        return False
    try:
        return datetime.fromisoformat(moment) < utc_now()
    except (ValueError, TypeError):
        return False
