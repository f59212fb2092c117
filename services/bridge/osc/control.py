"""Commands that come in as Open Sound Control."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import AsyncIOOSCUDPServer

from moodstream.errors import MoodstreamError
from services.bridge.controls import PLAYER_COMMANDS, Controls
from services.bridge.osc.endpoints import Endpoint
from services.bridge.rate_limited_log import RateLimitedLog

log = logging.getLogger("moodstream.bridge")

COMMANDS_WAITING = 16


class OscControl:
    """``/force MOOD [CAMERA]``, ``/next``, ``/pause``, ``/resume``, ``/toggle``, ``/mute``."""

    def __init__(self, endpoint: Endpoint, controls: Controls) -> None:
        self._endpoint, self._controls = endpoint, controls
        self._log = RateLimitedLog(log)
        self._waiting: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(COMMANDS_WAITING)

    async def run(self) -> None:
        """Carry out commands for ever. Raises MoodstreamError when the port is taken."""
        dispatcher = Dispatcher()
        dispatcher.map("/force", self._queue_mood)
        for command in PLAYER_COMMANDS:
            dispatcher.map(f"/{command}", self._queue_command)
        dispatcher.set_default_handler(self._warn_of_unknown)
        loop: Any = asyncio.get_running_loop()
        try:
            transport, _ = await AsyncIOOSCUDPServer(self._endpoint, dispatcher, loop).create_serve_endpoint()
        except OSError as error:
            raise MoodstreamError(
                f"cannot listen on {self._endpoint[0]}:{self._endpoint[1]} for OSC: {error.strerror}; "
                "choose another MOODSTREAM_OSC_LISTEN"
            ) from None
        try:
            while True:
                carry_out = await self._waiting.get()
                await carry_out()
        finally:
            transport.close()

    def _queue_mood(self, _: str, *values: Any) -> None:
        if not values or not all(isinstance(value, str) for value in values):
            self._log.warning("OSC: /force needs a mood, as text")
            return
        self._queue(lambda: self._controls.choose_mood(*values[:2]))

    def _queue_command(self, address: str, *values: Any) -> None:
        if values and values[0] in (0, 0.0, False):  # a button of TouchOSC and others sends 0 when it is let go
            return
        self._queue(lambda: self._controls.command_player(address.removeprefix("/")))

    def _warn_of_unknown(self, address: str, *_: Any) -> None:
        self._log.warning("OSC: nothing is done at %r", address[:100])

    def _queue(self, work: Callable[[], Awaitable[None]]) -> None:
        if self._waiting.full():
            self._log.warning("OSC: too many commands; one was dropped")
        else:
            self._waiting.put_nowait(work)
