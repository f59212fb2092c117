"""Worker processes on a Redis server of their own: two against one, start, memory, and overload."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from benchmarks.emotion.frames import EMPTY, START, WOMAN, frame, video
from benchmarks.emotion.table import Row
from benchmarks.processes import TICK, cpu_s
from moodstream.contracts.events import FacesRead, FrameCaptured, utc_now
from services.cli.redis_client import connected
from services.cli.run.embedded_redis import embedded_redis
from shared.app.service import create_bus
from shared.settings import Settings, load
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
ROUNDS = 3
IDLE = (3, 4)
"""columns of /proc/stat"""


@contextmanager
def worker(redis_url: str, port: int, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = os.environ | {"MOODSTREAM_REDIS_URL": redis_url, "MOODSTREAM_PORT": str(port)} | settings
    command = [sys.executable, "-m", "services.emotion.main"]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def fill(redis_url: str, frames: list[FrameCaptured], every_s: float = 0.0) -> None:
    """Put frames on the stream: all at once and all kept, or one by one with the few that a site keeps."""

    async def send() -> None:
        kept = {"frames_kept": 100_000} if not every_s else {}
        bus = create_bus(load(Settings, redis_url=redis_url, **kept))
        await bus.connect()
        due_s = time.monotonic()
        for one in frames:
            if every_s:
                due_s += every_s
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                one = one.model_copy(update={"captured_at": utc_now()})
            await bus.publish_frame(one)
        await bus.close()

    asyncio.run(send())


def read_so_far(client: Any) -> int:
    return int(client.xinfo_stream("mood:readings")["entries-added"]) if client.exists("mood:readings") else 0


class Drained(NamedTuple):
    """What it took to read a stream that was filled beforehand."""

    wall_s: float
    cpu_s: float
    """of the workers"""
    others: float
    """cores that were busy with something else"""


def drained(workers: int, frames: list[FrameCaptured]) -> Drained:
    with embedded_redis() as url, connected(url) as client, ExitStack() as stack:
        ports = [free_port() for _ in range(workers)]
        processes = [stack.enter_context(worker(url, port, MOODSTREAM_FRAME_MAX_AGE_MS="600000")) for port in ports]
        for port in ports:
            wait(port)
        for process in processes:
            process.send_signal(signal.SIGSTOP)  # they begin together
        fill(url, frames)
        measured = [client.info("server")["process_id"], os.getpid(), *(process.pid for process in processes)]
        before, busy_s = [cpu_s([pid]) for pid in measured], _busy_s()
        for process in processes:
            process.send_signal(signal.SIGCONT)
        start_s = time.monotonic()
        while read_so_far(client) < len(frames):
            time.sleep(0.01)
            if time.monotonic() - start_s > 120:
                raise TimeoutError
        wall_s, busy_s = time.monotonic() - start_s, _busy_s() - busy_s
        took = [cpu_s([pid]) - was for pid, was in zip(measured, before, strict=True)]
    return Drained(wall_s, sum(took[2:]), max(0.0, busy_s - sum(took)) / wall_s)


def _busy_s() -> float:
    """Processor time that the whole machine has used."""
    columns = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(value for column, value in enumerate(columns) if column not in IDLE) / TICK


def two_workers(data: Path) -> Iterator[Row]:
    woman = video(data / "video" / WOMAN, 400)
    first = utc_now() - timedelta(seconds=60)
    frames = [frame(jpeg, seq, first + timedelta(seconds=seq / woman.rate)) for seq, jpeg in enumerate(woman.jpegs)]
    rounds = [(drained(1, frames), drained(2, frames)) for _ in range(ROUNDS)]
    others = statistics.mean(one.others for pair in rounds for one in pair)
    busy = f"others took {others:.1f} of {os.cpu_count()} cores"
    alone = statistics.median(one.cpu_s for one, _ in rounds)
    together = statistics.median(two.cpu_s for _, two in rounds)
    by_clock = statistics.median(one.wall_s / two.wall_s for one, two in rounds)
    yield Row("a worker's processor time for a frame, bus included", 1000 * alone / len(frames), "ms")
    yield Row("of two workers, for a frame", 1000 * together / len(frames), "ms")
    yield Row("two workers against one, filled stream, by the clock (median)", by_clock, "x", 1.6, note=busy)
    yield Row("what their processor time gives on two free cores", 2 * alone / together, "x")


def start_and_memory() -> Iterator[Row]:
    with embedded_redis() as url:
        port = free_port()
        start_s = time.monotonic()
        with worker(url, port) as process:
            wait(port)
            took_s = time.monotonic() - start_s
            ready_cpu_s = cpu_s([process.pid])
            picture = cv2.imencode(".jpg", np.full((480, 640), 120, np.uint8))[1].tobytes()
            fill(url, [frame(picture, seq, START) for seq in range(100)], every_s=0.02)
            status = Path(f"/proc/{process.pid}/status").read_text()
            resident = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    note = f"{ready_cpu_s:.2f} s of processor time"
    yield Row("worker: from the command to ready", took_s, "s", at_most=2, note=note)
    yield Row("worker: most memory, after 100 frames", int(resident) / 1024, "MiB", at_most=200)


def ages(data: Path, cameras: int, name: str) -> tuple[float, float]:
    """p95 of the age at the reading in ms, and the fraction of frames read, of this many cameras at 30 frames/s."""
    jpegs = video(data / "video" / name, 90).jpegs
    frames = [
        frame(jpegs[seq % len(jpegs)], seq, START, f"c{camera}") for seq in range(240) for camera in range(cameras)
    ]
    with embedded_redis() as url, connected(url) as client:
        port = free_port()
        with worker(url, port):
            wait(port)
            fill(url, frames, every_s=1 / (30 * cameras))
            time.sleep(0.5)
            entries, read = client.xrange("mood:readings"), read_so_far(client)
    readings = [FacesRead.model_validate_json(fields[b"__data__"]) for _, fields in entries]
    old = [(one.at - one.captured_at).total_seconds() * 1000 for one in readings]
    return float(np.percentile(old, 95)), read / len(frames)


def overload(data: Path) -> Iterator[Row]:
    for cameras, name in ((1, WOMAN), (4, EMPTY), (8, WOMAN)):
        age, part = ages(data, cameras, name)
        what = f"age at the reading, p95, {cameras} x 30 frames/s in"
        yield Row(what, age, "ms", at_most=250, note=f"{part:.0%} of the frames read")
