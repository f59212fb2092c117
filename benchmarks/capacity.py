"""What one camera costs: time of the processor, memory and network of every service, for docs/capacity.md.

    python -m benchmarks.capacity [--cameras 4] [--rate 10] [--seconds 30] [--video FILE]

One site with real services and an own Redis (Debian's). Without a video, cameras see the drawn face in a film that is
made for it. Time of the processor is what the processes used, so a busy machine disturbs it little.
"""

import argparse
import json
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2

from benchmarks.sentinel import service, wait_until_ready
from services.camera.drawn import pattern
from tests.support.ports import free_port
from tests.support.redis_servers import single

SERVICES: dict[str, dict[str, str]] = {
    "camera": {},
    "emotion": {},
    "recommender": {"MOODSTREAM_AUTO": "true"},
    "player": {"MOODSTREAM_PLAYER": "log"},
    "gateway": {},
    "bridge": {},
}


@dataclass(frozen=True)
class Spent:
    """Of a process with its children."""

    seconds: float
    resident_mb: float

    @classmethod
    def of(cls, pid: int) -> "Spent":
        seconds = resident_mb = 0.0
        for one in [pid, *_children(pid)]:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            resident_mb += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return cls(seconds, resident_mb)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for task in tasks for child in task.read_text().split()]
    return found + [other for child in found for other in _children(child)]


def film(folder: Path) -> Path:
    """A round of the drawn face, 640x480 at 10 frames a second."""
    file = folder / "drawn.mp4"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 480))
    for number in range(int(pattern.CYCLE_S * 10)):
        writer.write(pattern.draw(number / 10))
    writer.release()
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--video", type=Path)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moodstream-capacity-")))
        client = stack.enter_context(single("--maxmemory-policy", "noeviction"))
        port = client.connection_pool.connection_kwargs["port"]
        url, redis = f"redis://127.0.0.1:{port}/0", int(client.info("server")["process_id"])
        video = given.video or film(folder)
        cameras = [
            {"id": f"c{n}", "address": str(video), "frame_rate": given.rate, "idle_frame_rate": 0}
            for n in range(given.cameras)
        ]
        pids, ports = {"redis": redis}, [free_port() for _ in range(len(SERVICES))]
        for (name, settings), its_port in zip(SERVICES.items(), ports, strict=True):
            own = settings | ({"MOODSTREAM_CAMERAS": json.dumps(cameras)} if name == "camera" else {})
            own |= {"MOODSTREAM_FRAMES_KEPT": str(2 * given.cameras + 2)}
            process = stack.enter_context(service(name, url, "mood:", its_port, folder, **own))
            pids[name] = process.pid
        wait_until_ready(ports)
        time.sleep(5)
        before, counted = {name: Spent.of(pid) for name, pid in pids.items()}, _counts(client)
        started_s = time.monotonic()
        time.sleep(given.seconds)
        passed_s = time.monotonic() - started_s
        after, counts = {name: Spent.of(pid) for name, pid in pids.items()}, _counts(client)
        frames, read, moods, received, sent, kept = (b - a for a, b in zip(counted, counts, strict=True))
        print(
            f"{given.cameras} cameras, {frames / passed_s:.1f} frames/s captured, {read / passed_s:.1f} read, "
            f"{moods / passed_s:.1f} mood events/s; load {os.getloadavg()[0]:.1f}"
        )
        print(f"{'':<12}{'% of a core':>12}{'a camera':>10}{'ms a frame':>12}{'MB':>8}")
        for name in pids:
            seconds = after[name].seconds - before[name].seconds
            share = 100 * seconds / passed_s
            print(
                f"{name:<12}{share:>12.1f}{share / given.cameras:>10.2f}{1000 * seconds / max(1, frames):>12.2f}"
                f"{after[name].resident_mb:>8.0f}"
            )
        print(
            f"Redis, kB/s a camera: in {received / passed_s / 1000 / given.cameras:.1f}, "
            f"out {sent / passed_s / 1000 / given.cameras:.1f}; memory grew {kept / 2**20:.2f} MB"
        )


def _counts(client: object) -> list[float]:
    """Frames, readings and mood events so far, bytes in and out, memory in use."""

    def added(stream: str) -> float:
        return float(client.xinfo_stream(f"mood:{stream}")["entries-added"]) if client.exists(f"mood:{stream}") else 0.0  # type: ignore[attr-defined]

    info = client.info()  # type: ignore[attr-defined]
    return [
        added("frames"),
        added("readings"),
        added("moods"),
        info["total_net_input_bytes"],
        info["total_net_output_bytes"],
        info["used_memory"],
    ]


if __name__ == "__main__":
    main()
