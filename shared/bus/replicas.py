"""An event counts as published when a second server has it: what the leader alone has is lost if it dies now.

Where no replica answers, the leader may have been deposed without knowing it (after ``SENTINEL FAILOVER`` it goes on
taking writes for up to ten seconds, all of which are lost): then the Sentinels, or the nodes of a cluster, are asked,
and the event is published again on the server that leads.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from redis.exceptions import ConnectionError

log = logging.getLogger("moodstream.replicas")

TIMEOUT_MS = 1_000
PAUSE_S = 10.0
"""Without a replica there is nothing to wait for; this long after, the next event waits for one again."""


class Replicas:
    """Waits for one replica to have each event, or goes on without where none answers."""

    def __init__(self, is_deposed: Callable[[Any], Awaitable[bool]]) -> None:
        """``is_deposed`` asks, of a pool of connections, whether another server leads than theirs."""
        self._is_deposed = is_deposed
        self._alone_until_s = 0.0

    async def confirm(self, pipeline: Any) -> list[Any]:
        """Execute the pipeline, on one connection as WAIT needs; gives the answers.

        Raises what Redis raises, and ConnectionError when another server leads by now.
        """
        if time.monotonic() < self._alone_until_s:
            return list(await pipeline.execute())
        answers: list[Any]
        *answers, copies = await pipeline.wait(1, TIMEOUT_MS).execute()
        if not copies:
            if await self._is_deposed(pipeline.connection_pool):
                raise ConnectionError("another server leads by now")
            self._alone_until_s = time.monotonic() + PAUSE_S
            log.warning("no replica confirmed the last event within %d ms; it is on one server only", TIMEOUT_MS)
        return answers
