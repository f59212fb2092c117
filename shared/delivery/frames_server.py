"""Pictures and sounds only pass through a server that writes nothing to a disk: it is asked again and again.

A server of one's own may keep an append-only file or snapshots, as Debian's default does, and then every picture lands
in a file. A user that may ask for the server's configuration (``CONFIG GET``; of the services with users of their own
the emotion service alone may) decides by that and notes in Redis which server it found to be right. The others, who
must not see the configuration, send and take no picture before that note.
"""

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from moodstream.errors import MoodstreamError
from shared.bus.connection import Bus
from shared.contracts.access import FRAMES_CHECKED
from shared.settings import Settings

log = logging.getLogger("moodstream.redis")

NOTE = FRAMES_CHECKED
"""Key on the frames' server: the ``run_id`` of the server that writes nothing; new at each of its starts."""
CHECK_EVERY_S = 5.0
CHECK_AGAIN_S = 0.5
"""after a server that was away, or that nobody has noted yet"""
RETRY_S = 0.2
WHAT = "asking whether the server of the frames writes to a disk"
NOT_YET = "no emotion service has said yet that the server of the frames writes nothing to a disk"
HINT = (
    'pictures must not be kept: switch that off there (save "" and appendonly no), name another server with '
    "MOODSTREAM_FRAMES_REDIS_URL, or accept it with MOODSTREAM_FRAMES_ON_DISK=true, which the page then tells visitors"
)


class FramesServer:
    """The check of one process. Where ``settings.frames_on_disk`` accepts pictures on a disk, it says so once."""

    def __init__(self, bus: Bus, settings: Settings, *, needed: bool = True, reads: bool = False) -> None:
        """``needed``: whether the process is of no use before the answer, and so not ready.

        ``reads``: whether it reads pictures. One that only sends them, with a Redis user of its own, goes by the note
        and does not ask for what its user may not see.
        """
        self._bus, self._accepted, self._needed = bus, settings.frames_on_disk, needed
        self._may_look = reads or not urlsplit(settings.frames_redis_url or settings.redis_url).username
        bus.publisher.captures_may_pass = self._accepted

    async def check(self) -> None:
        """Return once pictures may pass. Raises MoodstreamError when the server writes, or does not say."""
        if self._accepted:
            log.warning("MOODSTREAM_FRAMES_ON_DISK: pictures may be written to a disk by the server of the frames")
            return
        while not await self._ask():
            await asyncio.sleep(RETRY_S)

    async def watch(self) -> None:
        """Check for ever: a server may be changed, or replaced. Raises MoodstreamError when it writes."""
        right = True
        while True:
            await asyncio.sleep(CHECK_EVERY_S if right else CHECK_AGAIN_S)
            if not self._accepted:
                right = await self._ask()

    async def run(self) -> None:
        """``check``, then ``watch``: for a process that has other work meanwhile."""
        await self.check()
        await self.watch()

    async def _ask(self) -> bool:
        """Whether pictures may pass, which the publisher then knows. Raises MoodstreamError."""
        try:
            known = await self._writes_nothing()
        except (RedisError, OSError, RuntimeError) as error:  # the last before the first connection
            self._bus.outage.report(WHAT, error)
            return False
        self._bus.publisher.captures_may_pass = known
        if known or not self._needed:
            self._bus.outage.resolve(WHAT)
        else:
            self._bus.outage.report(WHAT, ConnectionError(NOT_YET), lost=False)
        return known

    async def _writes_nothing(self) -> bool:
        """Whether that is known."""
        server = self._bus.frames
        about = {**await server.info("persistence"), **await server.info("server")}
        if about["aof_enabled"]:
            raise MoodstreamError(f"the server of the frames keeps an append-only file; {HINT}")
        note = self._bus.key(NOTE)
        if not self._may_look:
            return await self._is_noted(note, about["run_id"])
        try:
            saves = (await server.config_get("save"))["save"]
        except NoPermissionError:
            return await self._is_noted(note, about["run_id"])
        except ResponseError as error:
            text = f"the server of the frames does not say whether it writes to a disk ({error}); {HINT}"
            raise MoodstreamError(text) from None
        if saves:
            raise MoodstreamError(f"the server of the frames saves snapshots ({saves!r}); {HINT}")
        await server.set(note, about["run_id"])
        return True

    async def _is_noted(self, note: str, run_id: str) -> bool:
        """Whether who may see the configuration has found this very server to be right."""
        noted: Any = await self._bus.frames.get(note)
        return bool(noted == run_id.encode())
