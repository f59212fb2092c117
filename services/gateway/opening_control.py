"""Opens and closes the site by its hours or by the operator's hand.

While it is closed, cameras rest, visits are ended and the player pauses; every listener is told at once. What the
operator has set lies in Redis until the hours change, so that it outlives a restart and holds for all gateways.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from redis.exceptions import RedisError

from moodstream.contracts.events import StatusChanged, utc_now
from moodstream.contracts.requests import CommandPlayer, EndSession, PauseCamera, Request
from moodstream.contracts.status_codes import StatusCode
from moodstream.errors import MoodstreamError
from services.gateway.state.opening_hours import ALWAYS, Opening, OpeningHours
from shared.bus.connection import Bus
from shared.contracts.site_state import SiteState

log = logging.getLogger("moodstream.gateway")

CHECK_EVERY_S = 1.0
PAUSE_EVERY_S = 15.0
PAUSE_S = 40.0
"""Longer than until the next request to pause, so that cameras wake by themselves when the gateway ends."""
READING = "reading the opening hours"


class OpeningControl:
    """``opening`` says whether the site is open, at most a second late."""

    def __init__(self, bus: Bus, state: SiteState, hours: OpeningHours | None, zone: tzinfo) -> None:
        self._bus, self._state, self._hours, self.zone = bus, state, hours, zone
        self._key = bus.key("opening")
        self.opening = ALWAYS
        self._announced = ALWAYS
        self._acted_for_open = True
        self._pause_at_s = 0.0
        self._forced: bool | None = None
        """what the operator has set; None where the hours decide"""
        self._update()

    def change_hours(self, hours: OpeningHours | None, zone: tzinfo) -> None:
        """The operator has set other hours; what was set by hand ends when the next change of them is another one."""
        self._hours, self.zone = hours, zone
        self._update()

    def local_now(self) -> datetime:
        return utc_now().astimezone(self.zone)

    async def force(self, is_open: bool | None) -> Opening:
        """Open or close until the hours change; None goes by the hours again. Raises what Redis raises."""
        if is_open is None:
            await self._bus.redis.delete(self._key)
        else:
            until = self._by_hours().changes_at
            left_ms = int((until - utc_now()).total_seconds() * 1000) if until else None
            await self._bus.redis.set(self._key, str(int(is_open)), px=left_ms and max(1, left_ms))
        await self._read_forced()
        return self.opening

    async def run(self, on_change: Callable[[], Any]) -> None:
        """Open and close for ever; ``on_change`` is called when the site has done so, also while Redis is away."""
        while not self._bus.stopping.is_set():
            self._update()
            try:
                await self._read_forced()
                self._announce(on_change)
                await self._act()
            except (RedisError, OSError) as error:
                self._bus.outage.report(READING, error)
                self._announce(on_change)
            else:
                self._bus.outage.resolve(READING)
            await asyncio.sleep(CHECK_EVERY_S)

    def _by_hours(self) -> Opening:
        return ALWAYS if self._hours is None else self._hours.at(utc_now())

    def _update(self) -> None:
        """By the clock and what the operator is known to have set, which ends when the hours change."""
        by_hours = self._by_hours()
        if by_hours.changes_at != self.opening.changes_at:
            self._forced = None
        self.opening = by_hours if self._forced is None else Opening(self._forced, by_hours.changes_at, "operator")

    async def _read_forced(self) -> None:
        forced = await self._bus.redis.get(self._key)
        self._forced = None if forced is None else forced == b"1"
        self._update()

    def _announce(self, on_change: Callable[[], Any]) -> None:
        if self.opening != self._announced:
            self._announced = self.opening
            on_change()

    async def _act(self) -> None:
        """What fails is tried again a second later."""
        now = self.opening
        if now.open != self._acted_for_open:
            await (self._pause_cameras(0) if now.open else self._end_visits())
            await self._publish_status(now)
            self._acted_for_open = now.open
        clock_s = asyncio.get_running_loop().time()
        if not now.open and clock_s >= self._pause_at_s:
            self._pause_at_s = clock_s + PAUSE_EVERY_S
            await self._pause_cameras(PAUSE_S, StatusCode.CLOSED)

    async def _publish_status(self, now: Opening) -> None:
        until = f" until {now.changes_at:%Y-%m-%d %H:%M}" if now.changes_at else ""
        code = StatusCode.OPEN if now.open else StatusCode.CLOSED
        reason = f"{code}{until}"
        log.info("the site is %s", reason)
        await self._bus.publish(StatusChanged(service="gateway", state="online", code=code, reason=reason))

    async def _end_visits(self) -> None:
        """And let the music pause."""
        self._pause_at_s = 0.0
        for camera_id in [name for name, view in self._state.cameras.items() if view.session_id]:
            await self._ask(EndSession(camera_id=camera_id))
        await self._ask(CommandPlayer(command="pause"))

    async def _pause_cameras(self, seconds: float, reason: str | None = None) -> None:
        """0 seconds wake them."""
        cameras = self._state.parts_of("camera") | {self._state.camera_id}
        requests = [PauseCamera(camera_id=name, seconds=seconds, reason=reason) for name in sorted(cameras)]
        await asyncio.gather(*map(self._ask, requests))

    async def _ask(self, request: Request[Any]) -> None:
        try:
            await self._bus.ask(request)
        except MoodstreamError as error:
            log.debug("%s", error)
