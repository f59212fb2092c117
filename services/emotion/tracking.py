"""Who tracks: of all emotion workers one holds a lease and follows the readings; the others stand by.

The holder keeps its place in the readings in Redis. One that takes over goes on there, with the sessions of the
last events, so a killed worker costs a moment and no session.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from pydantic import JsonValue

from services.emotion.tracker import Tracker
from shared.bus import AWAY, Bus
from shared.circumplex import MOODS, Mood
from shared.events import Event, FacesRead, MoodChanged, ReplyGiven, RequestMade, StatusChanged, utc_now

log = logging.getLogger("moodstream.emotion")

LEASE_MS = 3_000
RENEW_S = 1.0
END_OF_INPUT = "end of input"
"""Reason with which a camera says that nothing more will come."""


class Tracking:
    """The background job that turns the readings of all cameras into moods."""

    def __init__(self, bus: Bus, make_tracker: Callable[[str], Tracker]) -> None:
        self._bus = bus
        self._make = make_tracker
        self._lease = bus.key("lease", "tracker")
        self._place = bus.key("tracker", "place")
        self._trackers: dict[str, Tracker] = {}

    async def run(self) -> None:
        while True:
            try:
                await self._hold_lease()
                log.info("tracks the moods")
                await self._track()
                log.warning("another worker tracks the moods now")
            except AWAY as error:
                log.warning("Redis is away, tracking waits: %s", error)
                await asyncio.sleep(RENEW_S)

    async def _hold_lease(self) -> None:
        while not await self._bus.redis.set(self._lease, self._bus.consumer, nx=True, px=LEASE_MS):
            if await self._is_mine():
                return
            await asyncio.sleep(RENEW_S)

    async def _is_mine(self) -> bool:
        return bool(await self._bus.redis.get(self._lease) == self._bus.consumer.encode())

    async def _renew(self) -> bool:
        holder = await self._bus.redis.get(self._lease)
        if holder not in (None, self._bus.consumer.encode()):
            return False
        await self._bus.redis.set(self._lease, self._bus.consumer, px=LEASE_MS)
        return True

    async def _track(self) -> None:
        await self._restore()
        place = await self._bus.redis.get(self._place)
        start: dict[type[Event], str] = {
            FacesRead: place.decode() if place else await self._bus.last_id(FacesRead),
            StatusChanged: await self._bus.last_id(StatusChanged),
            RequestMade: await self._bus.last_id(RequestMade),
        }
        renewed_s = time.monotonic()
        async for entry in self._bus.follow(start, block_ms=250):
            now_s = time.monotonic()
            moods: list[MoodChanged] = []
            if entry is not None:
                moods += await self._take(entry[1], now_s)
            for tracker in self._trackers.values():
                moods += tracker.tick(now_s)
            for mood in moods:
                await self._bus.publish(mood)
            if entry is not None and isinstance(entry[1], FacesRead):
                await self._bus.redis.set(self._place, entry[0])
            if now_s - renewed_s >= RENEW_S:
                if not await self._renew():
                    return
                renewed_s = now_s

    async def _restore(self) -> None:
        self._trackers.clear()
        now_s = time.monotonic()
        for event in reversed(await self._bus.newest(MoodChanged, count=200)):
            if isinstance(event, MoodChanged):
                self._trackers[event.camera_id] = tracker = self._make(event.camera_id)
                tracker.restore(event, now_s)

    def _tracker(self, camera_id: str) -> Tracker:
        if camera_id not in self._trackers:
            self._trackers[camera_id] = self._make(camera_id)
        return self._trackers[camera_id]

    async def _take(self, event: Event, now_s: float) -> list[MoodChanged]:
        if isinstance(event, FacesRead):
            return self._tracker(event.camera_id).observe(event, now_s)
        if isinstance(event, StatusChanged):
            ended = event.service in ("camera", "gateway") and event.part and event.reason == END_OF_INPUT
            return self._forget(str(event.part)) if ended else []
        if isinstance(event, RequestMade) and event.expires_at > utc_now():
            return await self._answer(event, now_s)
        return []

    def _forget(self, camera_id: str) -> list[MoodChanged]:
        tracker = self._trackers.pop(camera_id, None)
        return tracker.end() if tracker else []

    async def _answer(self, request: RequestMade, now_s: float) -> list[MoodChanged]:
        if request.kind not in ("mood.choose", "session.end"):
            return []
        camera_id = request.body.get("camera_id")
        if not isinstance(camera_id, str) or not camera_id:
            return await self._reply(request, error="camera_id must be the name of a camera")
        if request.kind == "session.end":
            return await self._reply(request, self._tracker(camera_id).end())
        if request.body.get("mood") not in list(MOODS):
            return await self._reply(request, error=f"mood must be one of {', '.join(MOODS)}")
        return await self._reply(
            request, self._tracker(camera_id).choose(Mood(str(request.body["mood"])), request, now_s)
        )

    async def _reply(
        self, request: RequestMade, moods: list[MoodChanged] | None = None, error: str | None = None
    ) -> list[MoodChanged]:
        result: JsonValue = None if error else {"session_id": moods[0].session_id if moods else None}
        await self._bus.publish(ReplyGiven.following(request, request_id=request.id, result=result, error=error))
        return moods or []
