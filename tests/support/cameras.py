"""A camera service on a real server, and what is seen of it from outside."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faststream.redis.parser import BinaryMessageFormatV1

from moodstream.contracts.events import FrameCaptured, StatusChanged
from services.camera.handlers import create_router
from services.camera.settings import CameraSettings, cameras_of
from services.camera.watch.process import COMMAND
from services.camera.watch.publisher import Publisher
from shared.app.service import Service, build_app, create_bus
from shared.bus.connection import Bus
from shared.bus.message_format import decode_capture
from shared.delivery.consume import create_groups
from shared.settings import load

FAKE_WEBCAM = (sys.executable, "-m", "tests.support.fake_webcam")


@dataclass
class Watched:
    """What a test looks at."""

    bus: Bus
    publisher: Publisher

    async def frames(self) -> list[FrameCaptured]:
        entries = await self.bus.redis.xrange("mood:frames")
        parsed = (BinaryMessageFormatV1.parse(fields[b"__data__"]) for _, fields in entries)
        return [decode_capture(FrameCaptured, headers, body) for body, headers in parsed]

    async def count(self) -> int:
        return int(await self.bus.redis.xlen("mood:frames"))

    async def told(self) -> list[StatusChanged]:
        found = reversed(await self.bus.newest(StatusChanged, 200))
        return [one for one in found if isinstance(one, StatusChanged)]

    async def statuses(self) -> list[tuple[str, str | None]]:
        """(state, code), oldest first."""
        return [(one.state, one.code) for one in await self.told()]

    async def until(self, state: str, code: str | None = None, words: str = "", limit_s: float = 15.0) -> float:
        """Wait until the newest status in Redis is this; returns the seconds that it took."""
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < limit_s:
            told = await self.told()
            last = told[-1] if told else None
            if last is not None and last.state == state and code in (None, last.code) and words in last.reason:
                return time.monotonic() - begun_s
            await asyncio.sleep(0.05)
        wanted = f"{state} {code or ''} ({words})"
        raise AssertionError(f"no {wanted} within {limit_s:.0f} s, but {(await self.statuses())[-3:]}")


@asynccontextmanager
async def watched(
    url: str, address: str, *, command: Sequence[str] = COMMAND, ended: Callable[[], None] | None = None, **given: Any
) -> AsyncIterator[Watched]:
    """The service as it runs, but for the web server."""
    standard: dict[str, Any] = {"frame_rate": 20, "frames_kept": 1000, "max_side_px": 120, "idle_frame_rate": 0}
    settings = load(CameraSettings, redis_url=url, camera=address, **(standard | given))
    bus = create_bus(settings)
    publisher = Publisher(bus, cameras_of(settings), ended, command)
    service = Service("camera", create_router(bus, publisher.cameras, "camera"), background=[publisher.run])
    build_app(bus, service)
    await bus.connect()
    await create_groups(bus)
    await bus.broker.start()
    job = asyncio.create_task(publisher.run())
    try:
        yield Watched(bus, publisher)
    finally:
        job.cancel()
        await asyncio.wait({job}, timeout=10)
        await bus.close()
    if not job.cancelled() and job.exception() is not None:
        raise AssertionError(job.exception())


async def some_frames(seen: Watched, more_than: int = 0, limit_s: float = 15) -> None:
    """Wait until this many frames and one more are in the stream."""
    async with asyncio.timeout(limit_s):
        while await seen.count() <= more_than:
            await asyncio.sleep(0.05)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()]
