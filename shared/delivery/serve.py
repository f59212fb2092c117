"""Answering requests: one way for every service, whether its group takes them or it follows the stream by itself."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from faststream.redis import RedisRouter
from pydantic import BaseModel

from moodstream.contracts.events import ReplyGiven, RequestMade
from moodstream.contracts.requests import FAMILIES, KINDS, Request, family
from moodstream.errors import MoodstreamError
from shared.bus.connection import Bus
from shared.delivery.consume import consume

Handler = Callable[[Any, RequestMade], Awaitable[BaseModel]]
"""Given the request and the event that carried it, makes the reply. Raises MoodstreamError to refuse."""

Q = TypeVar("Q", bound=Request[Any])


class NotMine(Exception):
    """Raised by a handler whose request another worker or service has to answer."""


class RequestServer:
    """Answers the kinds it has handlers for, and refuses unknown kinds of their families.

    Where several processes refuse a request, they publish the same event: its id follows from the request's.
    """

    def __init__(
        self, bus: Bus, handlers: Mapping[type[Request[Any]], Handler], *, answers_strangers: bool = False
    ) -> None:
        """``answers_strangers``: whether it also refuses kinds of families that no service serves; one service does."""
        self._bus = bus
        self._handlers = {kind.KIND: (kind, handler) for kind, handler in handlers.items()}
        self._families = {family(kind) for kind in self._handlers}
        self._answers_strangers = answers_strangers

    async def answer(self, made: RequestMade) -> None:
        """Publish the reply, unless another service has to give it."""
        if not self._is_mine(made.kind):
            return
        try:
            reply = await self._handle(made)
        except NotMine:
            return
        except MoodstreamError as error:
            await self._bus.publish(ReplyGiven.following(made, request_id=made.id, error=str(error)))
        else:
            result = reply.model_dump(mode="json")
            await self._bus.publish(ReplyGiven.following(made, request_id=made.id, result=result))

    def _is_mine(self, kind: str) -> bool:
        if kind in self._handlers:
            return True
        if family(kind) in self._families:
            return kind not in KINDS
        return self._answers_strangers and family(kind) not in FAMILIES

    async def _handle(self, made: RequestMade) -> BaseModel:
        if made.kind not in self._handlers:
            raise MoodstreamError(
                f"{made.kind[:100]!r}: there is no such request; there are {', '.join(sorted(KINDS))}"
            )
        kind, handler = self._handlers[made.kind]
        return await handler(kind.of(made.body), made)


def serve(
    router: RedisRouter,
    bus: Bus,
    group: str,
    handlers: Mapping[type[Request[Any]], Handler],
    *,
    answers_strangers: bool = False,
) -> None:
    """Answer requests that the workers of a consumer group share."""
    server = RequestServer(bus, handlers, answers_strangers=answers_strangers)

    @consume(router, bus, RequestMade, group)
    async def answer(made: RequestMade) -> None:
        await server.answer(made)
