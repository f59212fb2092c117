"""The operator's look through a camera, for two minutes at a time: begun, announced, watched and ended here.

The emotion service draws it (``shared.contracts.mounting_view``); the gateway passes the newest picture on and keeps
none. While it runs every visitors' page says so, and it ends with a tap, after its time, or when nobody watches.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from redis.exceptions import RedisError

from moodstream.contracts.events import StatusChanged, new_id, utc_now
from moodstream.contracts.status_codes import StatusCode
from moodstream.contracts.streams import FRAMES
from services.gateway.metrics import Metrics
from shared.bus.connection import Bus
from shared.contracts.mounting_view import (
    PICTURE,
    VIEW_S,
    WANTED,
    WATCHED,
    WATCHED_S,
    MountingPicture,
    Preview,
    ViewWanted,
)

log = logging.getLogger("moodstream.gateway")

CHECK_EVERY_S = 1.0
READING = "reading whether an operator looks"


class MountingViews:
    """``running`` says who may be seen now, at most a second late; one camera at a time."""

    def __init__(self, bus: Bus, preview: Preview, metrics: Metrics) -> None:
        self.preview: Preview = preview
        self.running: ViewWanted | None = None
        self._bus, self._metrics = bus, metrics
        self._keys = [bus.key(name) for name in (WANTED, WATCHED, PICTURE)]
        self._end_s = 0.0
        """by the monotonic clock, whatever the clock of Redis says"""
        self._on_change: Callable[[], Any] = lambda: None
        self._changing = asyncio.Lock()

    async def start(self, camera_id: str) -> None:
        """Announce the view, then let it begin. Raises what Redis raises."""
        wanted = ViewWanted(id=new_id(), camera_id=camera_id, until=utc_now() + timedelta(seconds=VIEW_S))
        async with self._changing:
            self._end_s = time.monotonic() + VIEW_S
            self._announce(wanted)
            try:
                await self._redis.delete(self._keys[2])
                await self._redis.set(self._keys[1], "1", px=1000 * WATCHED_S)
                await self._redis.set(self._keys[0], wanted.model_dump_json(), px=1000 * VIEW_S)
            except (RedisError, OSError):
                self._announce(None)
                raise
        self._metrics.view_began()
        log.info("an operator looks through %s", camera_id)
        await self._publish(StatusCode.VIEW, f"an operator looks through {camera_id}")

    async def look(self) -> MountingPicture | None:
        """The newest picture, None while there is none; a look keeps the view alive. Raises what Redis raises."""
        wanted = await self._read_wanted()
        if wanted is None:
            return None
        await self._redis.set(self._keys[1], "1", px=1000 * WATCHED_S)
        drawn = await self._redis.get(self._keys[2])
        try:
            picture = MountingPicture.model_validate_json(drawn) if drawn else None
        except ValidationError:
            return None  # of an emotion service of another version
        if picture is None or picture.camera_id != wanted.camera_id:
            return None
        # visitors are told what this gateway's setting says: an emotion service that is set otherwise shows nothing
        return picture if picture.preview == self.preview else None

    async def stop(self) -> None:
        """End it now: no picture is drawn any more, and none is left. Raises what Redis raises."""
        async with self._changing:
            await self._stop()

    async def run(self, on_change: Callable[[], Any]) -> None:
        """End what nobody watches, and learn what another gateway began, for ever."""
        self._on_change = on_change
        while not self._bus.stopping.is_set():
            try:
                async with self._changing:
                    await self._check()
            except (RedisError, OSError) as error:
                self._bus.outage.report(READING, error)
                if self.running is not None and time.monotonic() > self._end_s:
                    self._announce(None)
            else:
                self._bus.outage.resolve(READING)
            await asyncio.sleep(CHECK_EVERY_S)

    def to_json(self) -> dict[str, Any] | None:
        """What every page may know; None while nobody looks."""
        if self.running is None:
            return None
        return {
            "camera_id": self.running.camera_id,
            "preview": self.preview,
            "until": self.running.until.isoformat(),
        }

    @property
    def _redis(self) -> Any:
        """Of the frames, whose server keeps nothing on a disk."""
        return self._bus.holder(self._bus.key(FRAMES))

    async def _check(self) -> None:
        wanted, watched = await self._read_wanted(), await self._redis.get(self._keys[1])
        if wanted is not None and wanted != self.running:  # another gateway began it
            self._end_s = time.monotonic() + VIEW_S
            self._announce(wanted)
        is_over = wanted is None or watched is None or time.monotonic() > self._end_s
        if self.running is not None and is_over:
            await self._stop()

    async def _stop(self) -> None:
        await self._redis.delete(*self._keys)
        ended = self.running
        self._announce(None)
        if ended is not None:
            log.info("nobody looks through %s any more", ended.camera_id)
            await self._publish(StatusCode.VIEW_ENDED, f"nobody looks through {ended.camera_id} any more")

    async def _read_wanted(self) -> ViewWanted | None:
        kept = await self._redis.get(self._keys[0])
        try:
            return ViewWanted.model_validate_json(kept) if kept else None
        except ValidationError:
            return None

    def _announce(self, running: ViewWanted | None) -> None:
        if self.running != running:
            self.running = running
            self._on_change()

    async def _publish(self, code: StatusCode, reason: str) -> None:
        await self._bus.publish(StatusChanged(service="gateway", state="online", code=code, reason=reason))
