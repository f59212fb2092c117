"""Every event that a service handles is traced, around everything else, and its handling measured, innermost."""

import time
from datetime import datetime
from typing import Any

from faststream import BaseMiddleware

from moodstream.contracts.events import utc_now
from shared.bus.message_format import JSON
from shared.bus.metrics import event_type_label
from shared.bus.spans import Work
from shared.bus.traces import trace_of
from shared.delivery.consume import service_of
from shared.logs import TRACE


class TraceEvents(BaseMiddleware):
    """All that is logged and published on the way belongs to the trace of the event."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        TRACE.set(None)
        body = await msg.decode() if msg.content_type == JSON else None
        event = body if isinstance(body, dict) else {}
        trace = trace_of(event.get("trace_id"))
        TRACE.set(trace)  # not reset: failures are logged after this has ended
        traces = self.context.get("bus").traces
        what = event_type_label(event.get("type"))
        work = Work(service_of(msg.group), what, msg.raw_message["channel"], msg.group)
        with traces.handling(work, event.get("id"), trace):
            return await call_next(msg)


class MeasureHandling(BaseMiddleware):
    """How long events waited, how long they took, how many failed: of those that reach a handler."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        body = await msg.decode() if msg.content_type == JSON else None
        if not isinstance(body, dict):
            return await call_next(msg)
        metrics, type_, begun_s = self.context.get("bus").metrics, body.get("type"), time.perf_counter()
        waited_s = _age_s(body.get("at"))
        try:
            result = await call_next(msg)
        except Exception:
            metrics.count_failure(type_, msg.group)
            raise
        metrics.count_handled(type_, msg.group, waited_s, time.perf_counter() - begun_s)
        return result


def _age_s(moment: Any) -> float:
    try:
        return (utc_now() - datetime.fromisoformat(moment)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
