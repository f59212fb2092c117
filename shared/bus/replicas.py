"""An event counts as published when a second server has it: what the first alone has said is lost if it dies now.

Where no replica answers, the server may have been deposed without knowing it (after ``SENTINEL FAILOVER`` it goes on
taking writes for up to ten seconds, all of which are lost): then the Sentinels are asked, and the event is said again
to the one that leads.
"""

import logging
import time
from typing import Any

from redis.exceptions import ConnectionError

log = logging.getLogger("moodstream.replicas")

PATIENCE_MS = 1_000
PAUSE_S = 10.0
"""With no replica there is nothing to wait for; whether one has come back is asked this often."""


class Replicas:
    """Waits for one of them with every event, and goes on without when none answers."""

    def __init__(self) -> None:
        self._alone_until_s = 0.0

    async def confirm(self, pipeline: Any) -> list[Any]:
        """Execute the pipeline, on one connection as WAIT asks for; gives the answers.

        Raises what Redis raises, and ConnectionError when another server leads by now.
        """
        if time.monotonic() < self._alone_until_s:
            return list(await pipeline.execute())
        answers: list[Any]
        *answers, copies = await pipeline.wait(1, PATIENCE_MS).execute()
        if not copies:
            pool = pipeline.connection_pool
            told = pool.master_address
            if await pool.get_master_address() != told:
                raise ConnectionError("another server leads by now")
            self._alone_until_s = time.monotonic() + PAUSE_S
            log.warning("no replica has taken the last event within %d ms; it lies on one server alone", PATIENCE_MS)
        return answers
