"""Writes down every exchange, and puts faults in the place of answers."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.player.spotify.simulator.faults import Fault


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as they were."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes
    at_s: float
    faulty: bool
    """whether a fault was asked for"""


class Recorder:
    """Middleware: ``take_fault`` gives the fault for a path, if any; ``record`` gets every exchange."""

    def __init__(
        self, app: ASGIApp, take_fault: Callable[[str], Fault | None], record: Callable[[Exchange], None]
    ) -> None:
        self._app, self._take_fault, self._record = app, take_fault, record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        at_s = time.monotonic()
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        fault = self._take_fault(path)

        def record(status: int, headers: dict[str, str], answer: bytes) -> None:
            query = scope["query_string"].decode()
            sent = (request.method, path, query, dict(request.headers), body)
            self._record(Exchange(*sent, status, headers, answer, at_s, fault is not None))

        async def receive_again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        send = _recording(send, record)
        if fault is None:
            await self._app(scope, receive_again, send)
        else:
            await asyncio.sleep(fault.hang_s)
            await fault.response(scope, receive_again, send)


def _recording(send: Send, record: Callable[[int, dict[str, str], bytes], None]) -> Send:
    """A ``send`` that records an answer before its end is sent, also where the head is all that a client waits for."""
    head: Message = {}
    head_sent = False
    answer = bytearray()

    async def send_recorded(message: Message) -> None:
        nonlocal head, head_sent
        if message["type"] == "http.response.start":
            head = message
            return
        answer.extend(message.get("body", b""))
        if not message.get("more_body"):
            headers = {name.decode(): value.decode() for name, value in head["headers"]}
            record(head["status"], headers, bytes(answer))
        if not head_sent:
            head_sent = True
            await send(head)
        await send(message)

    return send_recorded
