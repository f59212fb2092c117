"""One signed HTTP request to a receiver: no redirects, no private addresses unless allowed, no answer read.

Source: the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
from standardwebhooks import Webhook

from moodstream.contracts.events import Event, StatusChanged, utc_now
from moodstream.contracts.status_codes import StatusCode
from services.bridge.webhooks.receivers import Receiver
from shared.networks import is_public

TIMEOUT_S = 10.0
MAX_REST_S = 24 * 3600.0
MAX_ANSWER_BYTES = 16 * 1024
"""Of an answer: its body is not read."""
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
            network_backend=_Guarded(receiver.private),
        )

    async def send(self, event_id: str, body: str) -> Answer:
        """Never raises for what the receiver or the network does."""
        headers = signed_headers(self._receiver, event_id, body, utc_now())
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


def signed_headers(
    receiver: Receiver, event_id: str, body: str, now: datetime
) -> list[tuple[bytes | str, bytes | str]]:
    """Signed with every secret, so that a receiver may know the old one or the new one."""
    signatures = " ".join(Webhook(secret).sign(event_id, now, body) for secret in receiver.secrets)
    return [
        ("content-type", "application/json"),
        ("user-agent", "moodstream"),
        ("webhook-id", event_id),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", signatures),
    ]


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


class _Guarded(httpcore.AsyncNetworkBackend):
    """Looks a name up once, checks what it stands for, and connects to just that: a name cannot change in between."""

    def __init__(self, private: bool) -> None:
        self._private, self._network = private, httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *more: Any, **settings: Any) -> httpcore.AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: {error.strerror}") from None
        except UnicodeError:  # of the IDNA codec
            raise httpcore.ConnectError(f"{host}: no name of a host") from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not self._private and not all(is_public(address) for address in addresses):
            raise httpcore.ConnectError(f"{host} has a private address; allow it with private = true")
        for address in addresses[:-1]:
            try:
                return _Bounded(await self._network.connect_tcp(address, port, *more, **settings))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return _Bounded(await self._network.connect_tcp(addresses[-1], port, *more, **settings))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Bounded(httpcore.AsyncNetworkStream):
    """A connection on which an answer is short: its status and headers. Whatever a receiver sends beyond ends it.

    The library reads on as long as something comes, such as one "103 Early Hints" after the other, and would keep the
    whole process busy with it.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream, self._left = stream, MAX_ANSWER_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left <= 0:
            raise httpcore.ReadError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
        data = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._left = MAX_ANSWER_BYTES  # for the answer to what is asked now
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *given: Any, **named: Any) -> httpcore.AsyncNetworkStream:
        return _Bounded(await self._stream.start_tls(*given, **named))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
