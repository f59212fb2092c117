"""Commands that come in as Open Sound Control."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from pythonosc.dispatcher import Dispatcher

from moodstream.errors import MoodstreamError
from services.bridge.controls import PLAYER_COMMANDS, Controls
from services.bridge.osc.endpoints import Endpoint
from services.bridge.osc.packets import messages_in
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
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(self.receiver, self._endpoint)
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

    def receiver(self) -> asyncio.DatagramProtocol:
        """What queues the commands in datagrams."""
        dispatcher = Dispatcher()
        dispatcher.map("/force", self._queue_mood)
        for command in PLAYER_COMMANDS:
            dispatcher.map(f"/{command}", self._queue_command, command)
        dispatcher.set_default_handler(self._warn_of_unknown)
        return _Receiver(dispatcher)

    def _queue_mood(self, _: str, *values: Any) -> None:
        texts = [value for value in values if isinstance(value, str)]
        if not texts:
            self._log.warning("OSC: /force needs a mood, as text")
        elif not _is_let_go(values):
            self._queue(lambda: self._controls.choose_mood(*texts[:2]))

    def _queue_command(self, _: str, command: list[str], *values: Any) -> None:
        if not _is_let_go(values):
            self._queue(lambda: self._controls.command_player(command[0]))

    def _warn_of_unknown(self, address: str, *_: Any) -> None:
        self._log.warning("OSC: no command has the address %r", address[:100])

    def _queue(self, work: Callable[[], Awaitable[None]]) -> None:
        if self._waiting.full():
            self._log.warning("OSC: too many commands; one was dropped")
        else:
            self._waiting.put_nowait(work)


class _Receiver(asyncio.DatagramProtocol):
    """Hands each message to the handlers of its address, which may be a pattern such as ``/{next,pause}``."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for message in messages_in(data):
            try:
                handlers = list(self._dispatcher.handlers_for_address(message.address))
            except re.error:  # no pattern
                continue
            for handler in handlers:
                handler.invoke(addr, message)


def _is_let_go(values: tuple[Any, ...]) -> bool:
    """A button of TouchOSC and others sends 0 when it is let go, as its only value or after a text."""
    numbers = [value for value in values if isinstance(value, int | float)]
    return bool(numbers) and not numbers[-1]
