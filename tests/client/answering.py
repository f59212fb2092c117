"""A site whose services are played by the test: every kind of request is answered with its example."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from faststream.redis import RedisRouter
from pydantic import BaseModel

from moodstream.contracts.events import RequestMade, StatusChanged
from moodstream.contracts.requests import Request
from moodstream.errors import MoodstreamError
from shared.bus.connection import Bus
from shared.contracts.request_examples import EXAMPLES
from shared.delivery.serve import Handler, serve
from tests.support.bus import running


class Answers:
    """Answers as the examples do, and notes what was asked; refuses what has ``unknown`` in it."""

    def __init__(self) -> None:
        self.asked: list[Request[Any]] = []

    def register(self, router: RedisRouter, bus: Bus) -> None:
        handlers = {type(example.request): self._handler(example.reply) for example in EXAMPLES}
        serve(router, bus, "test", handlers, answers_strangers=True)

    def _handler(self, reply: BaseModel) -> Handler:
        async def answer(request: Request[Any], _: RequestMade) -> BaseModel:
            self.asked.append(request)
            if "unknown" in request.model_dump().values():
                raise MoodstreamError("there is no song unknown")
            return reply

        return answer


@asynccontextmanager
async def answering(redis_url: str) -> AsyncIterator[tuple[Bus, Answers]]:
    answers = Answers()
    async with running(redis_url, answers.register) as bus:
        await bus.publish(StatusChanged(service="recommender", state="online"))
        yield bus, answers
