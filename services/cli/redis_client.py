"""A client of the Redis of a site, for commands that are no service."""

import contextlib
from collections.abc import Iterator
from typing import Any

from redis.exceptions import RedisError

from moodstream import sentinel
from moodstream.errors import MoodstreamError


@contextlib.contextmanager
def connected(url: str) -> Iterator[Any]:
    """A synchronous client that answers, in bytes. Raises MoodstreamError when Redis does not, now or later."""
    try:
        with sentinel.client(url, socket_timeout=5, socket_connect_timeout=2) as client:
            client.ping()
            yield client
    except (RedisError, OSError, ValueError) as error:
        raise MoodstreamError(f"Redis does not answer: {error}") from None


def check_redis(url: str) -> None:
    """Raises MoodstreamError when the server does not answer."""
    with connected(url):
        pass
