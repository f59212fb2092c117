"""What a person at a terminal needs: live lines, a run that ends with its input, a look at Redis from outside."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from redis.exceptions import RedisError

from moodstream import sentinel
from moodstream.contracts.event_filter import SHOWN
from moodstream.contracts.events import Event
from moodstream.contracts.streams import STREAMS
from moodstream.errors import MoodstreamError
from services.cli.drain import drained
from services.cli.supervisor import LIFELINE
from shared.app.service import Service
from shared.bus.connection import Bus
from shared.bus.outage import REDIS_ERRORS, Outage
from shared.bus.servers import without_password
from shared.contracts.event_lines import line
from shared.settings import Settings, load

log = logging.getLogger("moodstream.live")

AGAIN_S = 1.0
"""Between two looks for a Redis that went away."""


def print_events(bus: Bus, *, as_json: bool, leave: Callable[[], None]) -> Service:
    """A service that prints a line per event. ``leave`` is called when the reader of the lines has had enough."""

    async def show() -> None:
        try:
            async for entry in bus.follow({event: "0-0" if as_json else await bus.last_id(event) for event in SHOWN}):
                if entry is not None:
                    print(line(entry[1], as_json=as_json), flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            leave()

    return Service("console", background=[show], publishes_status=False)


class Ending:
    """Ends a run once its input has ended and all that followed from it is done."""

    def __init__(self, bus: Bus, leave: Callable[[], None]) -> None:
        self._bus, self._leave, self._ended = bus, leave, asyncio.Event()

    def begin(self) -> None:
        self._ended.set()

    async def run(self) -> None:
        await self._ended.wait()
        await drained(self._bus)
        self._leave()


def follow_events(url: str, kinds: tuple[type[Event], ...]) -> Iterator[Event]:
    """Events of these kinds as they come; others' rubbish is passed over with a warning.

    Raises MoodstreamError when Redis does not answer at first, and when an embedded one ends with its run. An outage
    of any other is told, waited for and read after.
    """
    prefix = load(Settings).prefix
    names = {prefix + STREAMS[kind].name: kind for kind in kinds}
    with connected(url) as client:
        newest = {name: client.xrevrange(name, count=1) for name in names}
        # ids and not "$", which would begin anew with every read and lose what came in between
        position = {name: entries[0][0] if entries else b"0-0" for name, entries in newest.items()}
        outage = Outage(without_password(url))
        while True:
            try:
                read = client.xread(position, block=2_000)
            except REDIS_ERRORS as error:
                if url.startswith("unix:") and not Path(urlsplit(url).path).exists():
                    raise MoodstreamError("the run that was listened to has ended, and its Redis with it") from None
                outage.report("reading", error)
                time.sleep(AGAIN_S)
                continue
            outage.resolve("reading")
            outage.end_if_resolved()
            for name, entries in read or ():
                for entry_id, fields in entries:
                    position[name.decode()] = entry_id
                    try:
                        yield names[name.decode()].model_validate_json(fields.get(b"__data__", b""))
                    except ValidationError:
                        log.warning("%s %s is no event and was passed over", name.decode(), entry_id.decode())


@contextlib.contextmanager
def connected(url: str) -> Iterator[Any]:
    """A synchronous client that answers, in bytes. Raises MoodstreamError when Redis does not, now or later."""
    try:
        with sentinel.client(url, socket_timeout=5, socket_connect_timeout=2) as client:
            client.ping()
            yield client
    except (RedisError, OSError, ValueError) as error:
        raise MoodstreamError(f"Redis does not answer: {error}") from None


def check_redis(url: str) -> None:
    """Raises MoodstreamError when the server does not answer."""
    with connected(url):
        pass


def watch_lifeline(bus: Bus, ended: Ending) -> Service:
    """Ends the process when its parent is gone, and the parent's embedded server with it."""

    async def watch() -> None:
        lifeline = int(os.environ[LIFELINE])
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(lifeline, gone.set)
        await gone.wait()
        loop.remove_reader(lifeline)  # the end of a pipe is readable for ever
        if os.environ.get("MOODSTREAM_EMBEDDED"):
            for broker in bus.brokers:
                with contextlib.suppress(RedisError, OSError):
                    await (await broker.connect()).shutdown(nosave=True)
        os.kill(os.getpid(), signal.SIGTERM)

    return Service("run", background=[ended.run, watch], publishes_status=False)
