"""Sending to listeners who may not read: in small pieces, with a bound of bytes for all, and not for ever.

What a listener has not read lies in memory. Server-sent events go out in pieces, the next once the one before is on its
way, so each listener holds two pieces at most. A message over a WebSocket is one whole; those that are large share a
budget of bytes. Whoever takes in nothing for half a minute is cut off.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

PIECE_BYTES = 16 * 1024
STALLED_S = 30.0
WHOLE_BYTES = 8 * 1024 * 1024
"""Of large messages over WebSockets that are on their way, all listeners together."""


class Stalled(Exception):
    """A listener took in nothing for ``STALLED_S``."""


@dataclass
class Budget:
    """Bytes that may be on their way at a time; who finds none left waits for a turn."""

    left: int = WHOLE_BYTES
    _waiting: asyncio.Condition = field(default_factory=asyncio.Condition)

    @contextlib.asynccontextmanager
    async def hold(self, count: int) -> AsyncIterator[None]:
        """For as long as the block runs. One message alone may be larger than all."""
        whole = WHOLE_BYTES
        async with self._waiting:
            await self._waiting.wait_for(lambda: self.left >= min(count, whole))
            self.left -= count
        try:
            yield
        finally:
            async with self._waiting:
                self.left += count
                self._waiting.notify_all()


def cut_off(scope: Scope) -> None:
    """End a connection without waiting for what its other end has not read."""
    abort = scope.get("state", {}).get("abort")
    if abort is not None:
        abort()


async def send_text(socket: WebSocket, text: str, budget: Budget) -> None:
    """One message. Raises Stalled, and what the socket raises when its other end has gone."""
    try:
        async with asyncio.timeout(STALLED_S):
            if len(text) <= PIECE_BYTES:
                await socket.send_text(text)
            else:
                async with budget.hold(len(text)):
                    await socket.send_text(text)
    except TimeoutError:
        cut_off(socket.scope)
        raise Stalled from None


class PatientStream(StreamingResponse):
    """Server-sent events; ``leave`` is called when the listener has gone, however that happens."""

    def __init__(self, stream: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_patiently(message: Any) -> None:
            for piece in _pieces(message):
                try:
                    async with asyncio.timeout(STALLED_S):
                        await send(piece)
                except TimeoutError:
                    cut_off(scope)
                    raise Stalled from None

        try:
            await _alone(super().__call__(scope, receive, send_patiently))
        except Stalled:
            await asyncio.sleep(0.01)  # the server learns that the connection is gone, and finds no fault in our end
        finally:
            self._leave()


async def _alone(work: Awaitable[None]) -> None:
    """Run it; of a group of exceptions that holds nothing but Stalled, raise that."""
    try:
        await work
    except BaseExceptionGroup as group:
        _, others = group.split(Stalled)
        if others is not None:
            raise others from None
        raise Stalled from None


def _pieces(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    body = message.get("body", b"")
    if message["type"] != "http.response.body" or len(body) <= PIECE_BYTES:
        yield message
        return
    for start in range(0, len(body), PIECE_BYTES):
        is_last = start + PIECE_BYTES >= len(body)
        more = message.get("more_body", False) or not is_last
        yield {"type": message["type"], "body": body[start : start + PIECE_BYTES], "more_body": more}
