"""Requests straight over the streams in Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from redis.exceptions import RedisError

from moodstream import cluster, sentinel
from moodstream.addresses import without_password
from moodstream.contracts.events import ReplyGiven, RequestMade, StatusChanged
from moodstream.contracts.requests import Request
from moodstream.contracts.streams import STREAMS
from moodstream.errors import MoodstreamError, NoAnswer
from moodstream.redis_answers import refused

R = TypeVar("R", bound=BaseModel)

REQUESTS, REPLIES, STATUS = (STREAMS[kind] for kind in (RequestMade, ReplyGiven, StatusChanged))


class RedisAsker:
    """Publishes a request and waits for the reply that names it."""

    def __init__(self, redis: Any, url: str, prefix: str, timeout_s: float) -> None:
        self._redis, self._url, self._shown = redis, url, without_password(url)
        self._prefix, self._timeout_s = prefix, timeout_s

    async def ask(self, request: Request[R]) -> R:
        """Raises RequestRefused, NoAnswer, or MoodstreamError when Redis does not answer."""
        asked = False
        try:
            async with asyncio.timeout(self._timeout_s):
                position = await self._newest_reply()
                made = request.made()
                await self._publish(made)
                asked = True
                return request.reply_of(await self._reply_to(made, position))
        except TimeoutError:
            if asked:
                raise NoAnswer(request.KIND, self._timeout_s) from None
            raise MoodstreamError(f"{self._shown} does not answer within {self._timeout_s:g} s") from None
        except (RedisError, OSError) as error:
            raise refused(self._url, error) from None

    async def _newest_reply(self) -> Any:
        newest = await self._redis.xrevrange(self._prefix + REPLIES.name, count=1)
        return newest[0][0] if newest else "0-0"

    async def _publish(self, made: RequestMade) -> None:
        """Without its times: the services take those of Redis, so a clock of ours that is wrong does no harm."""
        fields = {"__data__": made.model_dump_json(include={"id", "type", "kind", "body"})}
        stream = self._prefix + REQUESTS.name
        if await self._redis.xadd(stream, fields, maxlen=REQUESTS.kept, nomkstream=True):
            return
        if not await self._redis.xlen(self._prefix + STATUS.name):  # every service publishes there when it starts
            raise MoodstreamError(f"{self._shown}: no Moodstream here has the prefix {self._prefix!r}")
        await self._redis.xadd(stream, fields, maxlen=REQUESTS.kept)

    async def _reply_to(self, made: RequestMade, position: Any) -> ReplyGiven:
        stream = self._prefix + REPLIES.name
        while True:
            answer = await self._redis.xread({stream: position}, block=500)
            for entry_id, fields in answer[0][1] if answer else ():
                position = entry_id
                reply = _reply(fields.get(b"__data__", b""))
                if reply is not None and reply.request_id == made.id:
                    return reply


def _reply(text: bytes) -> ReplyGiven | None:
    """None for what somebody else has written there."""
    try:
        return ReplyGiven.model_validate_json(text)
    except ValidationError:
        return None


@asynccontextmanager
async def open_redis(url: str, prefix: str, timeout_s: float) -> AsyncIterator[RedisAsker]:
    """Connects when it is first asked."""
    async with sentinel.async_client(
        cluster.with_prefix(url, prefix), socket_timeout=5, socket_connect_timeout=2
    ) as redis:
        yield RedisAsker(redis, url, prefix, timeout_s)
