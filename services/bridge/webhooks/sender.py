"""One signed HTTP request to a receiver: no redirects, no private addresses unless allowed, no answer read.

Source: the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks
"""

import asyncio
import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpcore

from moodstream.contracts.events import Event, StatusChanged, utc_now
from moodstream.contracts.status_codes import StatusCode
from services.bridge.webhooks.receivers import Receiver
from shared.web.guarded_http import GuardedNetwork
from shared.web.webhook_signature import signed_headers

TIMEOUT_S = 10.0
MAX_REST_S = 24 * 3600.0
BUSY = (429, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """What became of one attempt."""

    status: int | None
    """None when nobody answered"""
    reason: str
    rest_s: float = 0.0
    """what the receiver asks for before the next attempt"""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410

    @property
    def unreachable(self) -> bool:
        """Whether it failed for reasons that have nothing to do with this message."""
        return self.status is None or self.status in BUSY


class Sender:
    """Keeps one connection per receiver."""

    def __init__(self, receiver: Receiver, timeout_s: float = TIMEOUT_S) -> None:
        self._receiver, self._timeout_s = receiver, timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=1,
            keepalive_expiry=30,
            network_backend=GuardedNetwork(receiver.private, "private = true"),
        )

    async def send(self, event_id: str, body: str) -> Answer:
        """Never raises for what the receiver or the network does."""
        headers = signed_headers(self._receiver.secrets, event_id, body, utc_now())
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._pool.stream("POST", self._receiver.url, headers=headers, content=body.encode()) as response,
            ):
                return Answer(response.status, f"status {response.status}", _rest(response.headers))
        except TimeoutError:
            return Answer(None, f"no answer within {self._timeout_s:g} s")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return Answer(None, str(error) or type(error).__name__)

    async def close(self) -> None:
        await self._pool.aclose()


async def send_test(receiver: Receiver) -> Answer:
    """Send a harmless event, signed as all others, once and past the queue."""
    event = StatusChanged(service="bridge", part=receiver.name, state="online", code=StatusCode.TEST, reason="test")
    sender = Sender(receiver)
    try:
        return await sender.send(event.id, payload(event))
    finally:
        await sender.close()


def payload(event: Event) -> str:
    """The body, in the form that the specification recommends."""
    return json.dumps({"type": event.type, "timestamp": event.at.isoformat(), "data": event.model_dump(mode="json")})


def _rest(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """Seconds that ``Retry-After`` asks for, as a number or as a date; 0 where it makes no sense."""
    for name, value in headers:
        if name.lower() != b"retry-after":
            continue
        if value.isdigit():
            return min(float(value[:9]), MAX_REST_S)
        try:
            moment = parsedate_to_datetime(value.decode("ascii"))
        except ValueError:
            return 0.0
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(0.0, (aware - utc_now()).total_seconds()), MAX_REST_S)
    return 0.0
