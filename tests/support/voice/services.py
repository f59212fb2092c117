"""A voice service in the bus, as an app runs it, and the sounds that it gets."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prometheus_client import generate_latest

from moodstream.contracts.events import Event, SoundCaptured, StatusChanged, VoiceRead, utc_now
from services.voice.main import VoiceSettings, create_service
from services.voice.microphone.source import Source
from shared.app.service import Service, build_app, create_bus
from shared.bus.connection import Bus
from shared.settings import load

WITHIN_S = 30.0


@dataclass
class Voices:
    bus: Bus
    service: Service
    _numbers: Any = field(default_factory=itertools.count)

    async def say(self, sound: bytes, camera_id: str = "hall", captured_at: datetime | None = None) -> None:
        """Put a sound on the stream, and wait until it was taken."""
        captured = SoundCaptured(
            camera_id=camera_id,
            run_id="1",
            seq=next(self._numbers),
            captured_at=captured_at or utc_now(),
            sound=sound,
        )
        assert await self.bus.publish_sound(captured)
        async with asyncio.timeout(WITHIN_S):
            while await self.bus.frames.xlen(self.bus.key("sounds")):
                await asyncio.sleep(0.01)

    async def events(self, kind: type[Event]) -> list[Any]:
        """All of a stream, oldest first."""
        return [event for _, event in await self.bus.newest_entries(kind, count=100)][::-1]

    async def read(self, count: int) -> list[VoiceRead]:
        """The readings, once there are so many."""
        async with asyncio.timeout(WITHIN_S):
            while len(found := await self.events(VoiceRead)) < count:
                await asyncio.sleep(0.02)
        return found

    async def statuses(self) -> list[tuple[str, str | None]]:
        """State and code of the microphone so far."""
        return [(one.state, one.code) for one in await self.events(StatusChanged) if one.part == "microphone"]

    def counted(self, line: str) -> float:
        """A line of the metrics, such as ``moodstream_sounds_too_old_total``."""
        assert self.service.metrics is not None
        lines = generate_latest(self.service.metrics).decode().splitlines()
        return float(next((one.split()[-1] for one in lines if one.startswith(f"{line} ")), "nan"))

    async def counts(self, line: str, value: float) -> None:
        """Wait until a line of the metrics has reached a value."""
        async with asyncio.timeout(WITHIN_S):
            while not self.counted(line) >= value:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def voices(redis_url: str, source: Source | None = None, **settings: Any) -> AsyncIterator[Voices]:
    """The service as an app runs it."""
    given = load(VoiceSettings, **{"redis_url": redis_url, "voice": "free", "camera_id": "hall", **settings})
    bus = create_bus(given)
    service = create_service(given, bus, source)
    app = build_app(bus, service)
    async with app.web.router.lifespan_context(app.web):
        await asyncio.wait_for(app.ready.wait(), WITHIN_S)
        yield Voices(bus, service)
