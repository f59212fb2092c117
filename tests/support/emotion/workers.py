"""Worker processes of the emotion service, and the streams around them."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moodstream.contracts.events import Event, FrameCaptured, utc_now
from moodstream.contracts.streams import STREAMS
from shared.app.service import create_bus
from shared.settings import Settings, load
from tests.support.needs import ROOT
from tests.support.pictures import encoded, noise


@contextmanager
def worker(redis_url: str, port: int = 0) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process of the emotion service; killed at the end."""
    environment = os.environ | {"MOODSTREAM_REDIS_URL": redis_url, "MOODSTREAM_PORT": str(port)}
    command = [sys.executable, "-m", "services.emotion.main"]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def put(client: Any, event: Event) -> None:
    """Write an event to its stream."""
    client.xadd("mood:" + STREAMS[type(event)].name, {"__data__": event.model_dump_json()})


def events(client: Any, kind: type[Event]) -> list[Any]:
    """All events of a stream, oldest first."""
    entries = client.xrange("mood:" + STREAMS[kind].name)
    return [kind.model_validate_json(fields[b"__data__"]) for _, fields in entries]


def until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def listening(client: Any, consumers: int) -> bool:
    """Whether this many workers have joined the consumer group of the frames."""
    if not client.exists("mood:frames") or not client.xinfo_groups("mood:frames"):
        return False
    return len(client.xinfo_consumers("mood:frames", "emotion")) == consumers


def send_frames(client: Any, count: int) -> None:
    """Put frames of noise on the stream, slowly enough for one worker."""
    asyncio.run(_send_frames(f"unix://{client.connection_pool.connection_kwargs['path']}", count))


async def _send_frames(url: str, count: int) -> None:
    bus = create_bus(load(Settings, redis_url=url, frames_kept=100))
    await bus.connect()
    for seq in range(count):
        jpeg = encoded(noise(seed=seq))
        await bus.publish_frame(FrameCaptured(camera_id="c", run_id="1", seq=seq, captured_at=utc_now(), jpeg=jpeg))
        await asyncio.sleep(0.02)
    await bus.close()
