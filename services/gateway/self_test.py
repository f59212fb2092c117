"""Whether the chain works, on demand: each service is asked something harmless, and a drawn face is read."""

import asyncio
import time
from collections.abc import Awaitable
from functools import cache
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from moodstream.contracts.events import FacesRead, FrameCaptured, new_id, utc_now
from moodstream.contracts.requests import AskCamera, AskPlayer, OfferSongs
from moodstream.contracts.status_codes import StatusCode
from moodstream.contracts.streams import SELF_TEST
from moodstream.errors import MoodstreamError, NoAnswer
from shared.bus.connection import Bus
from shared.tasks import end_tasks

FACE = Path(__file__).parent / "self_test.jpg"
TIMEOUT_S, ROUND_TRIPS = 3.0, 12
TRIES = 3
"""A frame may be dropped where newer ones come in."""


@cache
def _face() -> bytes:
    return FACE.read_bytes()


class SelfTest:
    """One at a time."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._running = asyncio.Lock()

    async def run(self, camera_ids: list[str]) -> dict[str, Any]:
        """{"ok", "checks": [{"check", "camera_id", "name", "ok", "ms", "detail"}]}; ``check`` is a code."""
        async with self._running:
            checks = [
                await self._timed("redis", "Redis", self._check_redis()),
                await self._timed("emotion", "emotion reads a drawn face", self._check_emotion()),
                await self._timed("recommender", "recommender offers songs", self._check_recommender()),
                await self._timed("player", "player answers", self._check_player()),
            ]
            for name in camera_ids:
                answers = await self._timed("camera", f"camera {name} answers", self._check_camera(name))
                checks.append(answers | {"camera_id": name})
        return {"ok": all(check["ok"] for check in checks), "checks": checks}

    async def _check_redis(self) -> str:
        key, value = self._bus.key("self-test"), new_id()
        await self._bus.redis.set(key, value, px=5_000)
        if await self._bus.redis.get(key) != value.encode():
            raise MoodstreamError("it does not give back what was written")
        return "writes and reads"

    async def _check_emotion(self) -> str:
        start = await self._bus.last_id(FacesRead)
        run_id = f"{time.time_ns() // 1_000_000:014d}"
        sending = asyncio.create_task(self._send_frames(run_id))
        try:
            async for entry in self._bus.follow({FacesRead: start}, block_ms=200):
                if entry and isinstance(entry[1], FacesRead) and entry[1].run_id == run_id:
                    reading = entry[1]
                    if not reading.faces:
                        raise MoodstreamError(f"found no face: {reading.error or 'nothing was seen'}")
                    return f"{reading.faces[0].mood}, {reading.model}"
        finally:
            await end_tasks(sending)
        raise MoodstreamError("the process ends")

    async def _send_frames(self, run_id: str) -> None:
        for seq in range(TRIES):
            frame = FrameCaptured(camera_id=SELF_TEST, run_id=run_id, seq=seq, captured_at=utc_now(), jpeg=_face())
            await self._bus.publish_frame(frame)
            await asyncio.sleep(TIMEOUT_S / TRIES)

    async def _check_recommender(self) -> str:
        offered = await self._bus.ask(OfferSongs(mood="happy"))
        return f"{len(offered.songs)} songs"

    async def _check_player(self) -> str:
        playing = await self._bus.ask(AskPlayer())
        if playing.state not in ("ready", "playing", "paused"):
            raise MoodstreamError(playing.message or playing.state)
        return f"{playing.output}: {playing.state}"

    async def _check_camera(self, camera_id: str) -> str:
        camera = await self._bus.ask(AskCamera(camera_id=camera_id))
        if camera.state == "offline" and camera.code not in (StatusCode.RESTING, StatusCode.CLOSED):
            raise MoodstreamError(camera.reason or "it is offline")
        return f"{camera.state}, {camera.frames} pictures"

    async def _timed(self, code: str, name: str, check: Awaitable[str]) -> dict[str, Any]:
        begun_s = time.perf_counter()
        ok, detail = False, ""
        try:
            async with asyncio.timeout(self._bus.line.patience_s(TIMEOUT_S, ROUND_TRIPS)):
                detail = await check
            ok = True
        except (TimeoutError, NoAnswer):
            detail = "no answer"
        except (MoodstreamError, RedisError, OSError) as error:
            detail = str(error)
        took_ms = round(1000 * (time.perf_counter() - begun_s), 1)
        return {"check": code, "camera_id": None, "name": name, "ok": ok, "ms": took_ms, "detail": detail}
