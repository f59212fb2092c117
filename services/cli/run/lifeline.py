"""The child of `moodstream run` ends when its parent is gone, and the parent's embedded Redis with it."""

import asyncio
import contextlib
import os
import signal

from redis.exceptions import RedisError

from services.cli.run.child_environment import EMBEDDED
from services.cli.run.supervisor import LIFELINE
from shared.bus.connection import Bus


class Lifeline:
    """A background job that waits for the end of the parent."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def run(self) -> None:
        await _wait_for_end_of(int(os.environ[LIFELINE]))
        if os.environ.get(EMBEDDED):
            for broker in self._bus.brokers:
                with contextlib.suppress(RedisError, OSError):
                    await (await broker.connect()).shutdown(nosave=True)
        os.kill(os.getpid(), signal.SIGTERM)


async def _wait_for_end_of(pipe: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pipe, ended.set)
    await ended.wait()
    loop.remove_reader(pipe)  # the end of a pipe is readable for ever
