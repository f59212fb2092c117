"""Opens and closes the site by its hours or by the operator's hand.

While it is closed, cameras rest, visits are ended and the player pauses; whoever listens is told at once. What the
operator has set lies in Redis until the hours change, so that it outlives a restart and holds for all gateways.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from typing import Any

from redis.exceptions import RedisError

from moodstream.contracts.events import StatusChanged, utc_now
from moodstream.contracts.requests import CommandPlayer, EndSession, PauseCamera, Request
from moodstream.contracts.status_codes import StatusCode
from moodstream.errors import MoodstreamError
from services.gateway.state.board import Board
from services.gateway.state.opening_hours import ALWAYS, Opening, OpeningHours
from shared.bus.connection import Bus

log = logging.getLogger("moodstream.gateway")

LOOK_EVERY_S = 1.0
REST_EVERY_S = 15.0
REST_S = 40.0
"""Longer than until the next word, so that a gateway that ends lets the cameras wake by themselves."""


class Doors:
    """The board's ``opening`` is true at most a second late."""

    def __init__(self, bus: Bus, board: Board, hours: OpeningHours | None, zone: tzinfo) -> None:
        self._bus, self._board, self._hours, self.zone = bus, board, hours, zone
        self._key = bus.key("opening")
        self._told = ALWAYS
        self._acted = True
        """whether what was done last was done for an open site"""
        self._rest_at_s = 0.0
        self._forced: bool | None = None
        self._settle()

    def local_now(self) -> datetime:
        return utc_now().astimezone(self.zone)

    async def set(self, is_open: bool | None) -> Opening:
        """By hand until the next change of the hours; None goes by the hours again. Raises what Redis raises."""
        if is_open is None:
            await self._bus.redis.delete(self._key)
        else:
            until = self._now_by_hours().changes_at
            left_ms = int((until - utc_now()).total_seconds() * 1000) if until else None
            await self._bus.redis.set(self._key, str(int(is_open)), px=left_ms and max(1, left_ms))
        await self._look()
        return self._board.opening

    async def run(self, tell: Callable[[], Any]) -> None:
        """``tell`` is called when the site has opened or closed, also while Redis is away."""
        while not self._bus.stopping.is_set():
            self._settle()
            try:
                await self._look()
                self._tell(tell)
                await self._act()
            except (RedisError, OSError) as error:
                self._bus.outage.report("looking at the opening hours", error)
                self._tell(tell)
            else:
                self._bus.outage.resolve("looking at the opening hours")
            await asyncio.sleep(LOOK_EVERY_S)

    def _now_by_hours(self) -> Opening:
        return ALWAYS if self._hours is None else self._hours.at(utc_now())

    def _settle(self) -> None:
        """By the clock and what is known of the operator's wish, which ends when the hours change."""
        by_hours = self._now_by_hours()
        if by_hours.changes_at != self._board.opening.changes_at:
            self._forced = None
        self._board.opening = (
            by_hours if self._forced is None else Opening(self._forced, by_hours.changes_at, "operator")
        )

    async def _look(self) -> None:
        forced = await self._bus.redis.get(self._key)
        self._forced = None if forced is None else forced == b"1"
        self._settle()

    def _tell(self, tell: Callable[[], Any]) -> None:
        if self._board.opening != self._told:
            self._told = self._board.opening
            tell()

    async def _act(self) -> None:
        """What fails is tried again a second later."""
        now = self._board.opening
        if now.open != self._acted:
            await (self._wake() if now.open else self._close())
            await self._say(now)
            self._acted = now.open
        clock_s = asyncio.get_running_loop().time()
        if not now.open and clock_s >= self._rest_at_s:
            self._rest_at_s = clock_s + REST_EVERY_S
            await self._pause_cameras(REST_S, StatusCode.CLOSED)

    async def _say(self, now: Opening) -> None:
        until = f" until {now.changes_at:%Y-%m-%d %H:%M}" if now.changes_at else ""
        code = StatusCode.OPEN if now.open else StatusCode.CLOSED
        reason = f"{code}{until}"
        log.info("the site is %s", reason)
        await self._bus.publish(StatusChanged(service="gateway", state="online", code=code, reason=reason))

    async def _close(self) -> None:
        self._rest_at_s = 0.0
        for camera_id in [name for name, view in self._board.cameras.items() if view.session_id]:
            await self._ask(EndSession(camera_id=camera_id))
        await self._ask(CommandPlayer(command="pause"))

    async def _wake(self) -> None:
        await self._pause_cameras(0)

    async def _pause_cameras(self, seconds: float, reason: str | None = None) -> None:
        names = {part for service, part in self._board.status if service == "camera" and part}
        asked: list[Awaitable[None]] = [
            self._ask(PauseCamera(camera_id=name, seconds=seconds, reason=reason))
            for name in sorted(names | {self._board.camera_id})
        ]
        await asyncio.gather(*asked)

    async def _ask(self, request: Request[Any]) -> None:
        try:
            await self._bus.ask(request)
        except MoodstreamError as error:
            log.debug("%s", error)
