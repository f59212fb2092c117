"""The emotion worker against its targets, in one run: finding, speed, two workers, overload, start, moods.

    python -m benchmarks.emotion [--data FOLDER] [--peer-python PYTHON] [--yunet MODEL] [--plot FILE.png]

Needs the reference data (photographs and videos). Speeds are frames per second of processor time of one core, JPEG of
640x480 in, reading out, so that a busy machine disturbs little; ratios are taken between rows of this run. The peer is
the package ``fer`` (MIT) in an environment of its own: it is measured where ``--peer-python`` names that interpreter.
"""

import argparse
import asyncio
import csv
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from services.emotion.boxes import Box
from services.emotion.classifier import Classifier
from services.emotion.decode import decode_grey
from services.emotion.faces import HaarFinder
from services.emotion.following import Finder
from services.emotion.handlers import read_frame
from services.emotion.main import EmotionSettings
from services.emotion.patches import crop
from services.emotion.reader import Reader
from services.emotion.replay import replay
from services.emotion.smoothing import SteadyMood
from services.emotion.yunet import YuNetFinder
from shared.app import create_bus
from shared.circumplex import MOODS, Mood
from shared.embedded_redis import embedded_redis
from shared.events import FacesRead, FrameCaptured, utc_now
from shared.live import connected
from shared.settings import Settings, load

ROOT = Path(__file__).parents[1]
START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 3

PEER = """
import json, sys, time
import cv2
from fer.fer import FER
peer = FER(mtcnn=False)
frames = [cv2.imread(name) for name in sys.argv[1:]]
cv2.setNumThreads(1)
peer.detect_emotions(frames[0])
best = 0
for _ in range(3):
    start = time.process_time()
    for frame in frames:
        peer.detect_emotions(frame)
    best = max(best, len(frames) / (time.process_time() - start))
print(json.dumps({"fps": best}))
"""


@dataclass
class Row:
    """One line of the table."""

    what: str
    value: float
    unit: str
    target: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "NOT MET", None: ""}[self.met]
        return f"{self.what:<66}{self.value:>10.2f} {self.unit:<10}{self.target:<12}{verdict}"


def jpegs(video: Path, count: int = 10_000) -> tuple[list[bytes], float]:
    """The middle of a video's frames at 640x480, as a webcam sends them, and their rate."""
    capture, frames = cv2.VideoCapture(str(video)), []
    rate = capture.get(cv2.CAP_PROP_FPS)
    while len(frames) < count:
        more, picture = capture.read()
        if not more:
            break
        height, width = picture.shape[:2]
        margin = max(0, (width - height * 4 // 3) // 2)
        small = cv2.resize(picture[:, margin : width - margin], (640, 480), interpolation=cv2.INTER_AREA)
        frames.append(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    capture.release()
    return frames, rate


def frame(jpeg: bytes, seq: int, at: datetime, camera: str = "c") -> FrameCaptured:
    return FrameCaptured(camera_id=camera, run_id="1", seq=seq, captured_at=at, jpeg=jpeg)


def rate_of(read: Callable[[bytes, int], object], frames: list[bytes]) -> float:
    """Best frames per second of processor time in some rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        start_s = time.process_time()
        for seq, jpeg in enumerate(frames):
            read(jpeg, seq)
        best = max(best, len(frames) / (time.process_time() - start_s))
    return best


def photographs(finder: Finder, data: Path, name: str) -> Iterator[Row]:
    single, twice, none, singles = 0, 0, 0, 0
    with (data / "frames" / "labels.csv").open() as file:
        for row in csv.DictReader(file):
            if not row["faces"] or float(row["faces"]) > 1:
                continue
            grey = np.asarray(cv2.imread(str(data / "frames" / row["file"]), cv2.IMREAD_GRAYSCALE), np.uint8)
            found = len(finder.find(grey))
            if float(row["faces"]) == 1:
                singles, single, twice = singles + 1, single + (found > 0), twice + (found > 1)
            else:
                none += found > 0
    yield Row(f"{name}: single faces found in {singles} photographs", single, "", ">= 123", single >= 123)
    yield Row(f"{name}: of them with a second box", twice, "", "<= 2", twice <= 2)
    yield Row(f"{name}: faces found where there is none (27 photographs)", none, "", "0", none == 0)


def speeds(data: Path, yunet: Path | None, peer: Path | None) -> Iterator[Row]:
    classifier = Classifier()
    one_face = jpegs(data / "video" / "face_noface.mov", 72)
    woman = jpegs(data / "video" / "WolfgangLanger_Pexels.mp4", 300)
    empty = jpegs(data / "video" / "no_face.mp4")

    def ours(finder: Finder, video: tuple[list[bytes], float]) -> float:
        reader = Reader(finder, classifier)
        return rate_of(
            lambda jpeg, seq: read_frame(reader, frame(jpeg, seq, START + timedelta(seconds=seq / video[1]))), video[0]
        )

    haar = HaarFinder()
    speed = ours(haar, woman)
    man = ours(haar, one_face)
    yield Row("Haar: frames/s on one core, video with one face (woman)", speed, "frames/s", ">= 200", speed >= 200)
    yield Row("Haar: the same, other video (man)", man, "frames/s", ">= 200", man >= 200)
    yield Row("Haar: the same, empty room", ours(haar, empty), "frames/s", "", None)
    if yunet is not None:
        fast = ours(YuNetFinder(yunet), woman)
        yield Row("YuNet: frames/s on one core, video with one face (woman)", fast, "frames/s", ">= 180", fast >= 180)
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"))

    def article(jpeg: bytes, _: int) -> object:
        grey = decode_grey(jpeg)
        boxes = cascade.detectMultiScale(grey, 1.3, 5)
        faces = [crop(grey, Box(*(int(value) for value in box[:4]))) for box in boxes]
        return classifier.probabilities(np.stack(faces)) if faces else None

    before = rate_of(article, woman[0][:18])
    again = ours(haar, (woman[0][:18], woman[1]))
    yield Row("the article's search (whole frame, 1.3), same network, 18 frames", before, "frames/s", "", None)
    yield Row("Haar against the article's search, the same 18 frames", again / before, "x", "", None)
    if peer is not None:
        theirs = peer_rate(peer, woman[0][:18])
        yield Row("fer 25.10 (Haar), the same 18 frames", theirs, "frames/s", "", None)
        yield Row("Haar against fer, the same 18 frames", again / theirs, "x", ">= 15", again / theirs >= 15)
        yield Row("Haar against fer, the whole video", speed / theirs, "x", ">= 15", speed / theirs >= 15)


def peer_rate(python: Path, frames: list[bytes]) -> float:
    """The peer in its own interpreter, on one core."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, jpeg in enumerate(frames):
            names.append(str(Path(folder) / f"{number}.jpg"))
            Path(names[-1]).write_bytes(jpeg)
        single = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
        done = subprocess.run(
            [str(python), "-c", PEER, *names], env=os.environ | single, capture_output=True, text=True, check=True
        )
    return float(json.loads(done.stdout.splitlines()[-1])["fps"])


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


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


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


def drained_s(workers: int, frames: list[FrameCaptured]) -> float:
    """Seconds from the first reading to the last of a stream filled beforehand."""
    with embedded_redis() as url, connected(url) as client, ExitStack() as stack:
        ports = [free_port() for _ in range(workers)]
        processes = [stack.enter_context(worker(url, port, MOODSTREAM_FRAME_MAX_AGE_MS="600000")) for port in ports]
        for port in ports:
            wait(port)
        for process in processes:
            process.send_signal(signal.SIGSTOP)  # they begin together
        fill(url, frames)
        for process in processes:
            process.send_signal(signal.SIGCONT)
        start_s = time.monotonic()
        while read_so_far(client) < len(frames):
            time.sleep(0.005)
            if time.monotonic() - start_s > 120:
                raise TimeoutError
        return time.monotonic() - start_s


def two_workers(data: Path) -> Iterator[Row]:
    woman, rate = jpegs(data / "video" / "WolfgangLanger_Pexels.mp4", 400)
    first = utc_now() - timedelta(seconds=60)
    frames = [frame(jpeg, seq, first + timedelta(seconds=seq / rate)) for seq, jpeg in enumerate(woman)]
    ratios = []
    for _ in range(ROUNDS):
        one, two = drained_s(1, frames), drained_s(2, frames)
        ratios.append(one / two)
    best = statistics.median(ratios)
    yield Row(f"one worker on a stream of {len(frames)} frames, all of it", len(frames) / one, "frames/s", "", None)
    yield Row("two workers against one, stream filled beforehand (median of 3)", best, "x", ">= 1.6", best >= 1.6)


def start_and_memory() -> Iterator[Row]:
    with embedded_redis() as url:
        port = free_port()
        start_s = time.monotonic()
        with worker(url, port) as process:
            wait(port)
            took_s = time.monotonic() - start_s
            picture = cv2.imencode(".jpg", np.full((480, 640), 120, np.uint8))[1].tobytes()
            fill(url, [frame(picture, seq, START) for seq in range(100)], every_s=0.02)
            status = Path(f"/proc/{process.pid}/status").read_text()
            resident = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    yield Row("worker: from the command to ready", took_s, "s", "<= 2", took_s <= 2)
    yield Row("worker: most memory, after 100 frames", int(resident) / 1024, "MiB", "<= 200", int(resident) <= 204_800)


def ages(data: Path, cameras: int, name: str) -> tuple[float, float]:
    """p95 of the age at the reading in ms, and the part of the frames read, with so many cameras at 30 frames/s."""
    pictures = jpegs(data / "video" / name, 90)[0]
    frames = [
        frame(pictures[seq % len(pictures)], seq, START, f"c{camera}")
        for seq in range(240)
        for camera in range(cameras)
    ]
    with embedded_redis() as url, connected(url) as client:
        port = free_port()
        with worker(url, port):
            wait(port)
            fill(url, frames, every_s=1 / (30 * cameras))
            time.sleep(0.5)
            entries = client.xrange("mood:readings")
    readings = [FacesRead.model_validate_json(fields[b"__data__"]) for _, fields in entries]
    old = [(one.at - one.captured_at).total_seconds() * 1000 for one in readings]
    return float(np.percentile(old, 95)), len(readings) / min(len(frames), 1_000)


def overload(data: Path) -> Iterator[Row]:
    for cameras, name in ((1, "WolfgangLanger_Pexels.mp4"), (4, "no_face.mp4"), (8, "WolfgangLanger_Pexels.mp4")):
        age, part = ages(data, cameras, name)
        what = f"age at the reading, p95, {cameras} x 30 frames/s in ({part:.0%} read)"
        yield Row(what, age, "ms", "<= 250", age <= 250)


def delays(data: Path) -> Iterator[Row]:
    """How long a change takes to be told: every pair of moods, at many rates, with the noise of real readings."""
    random, took = np.random.default_rng(4), []
    for rate in (5, 10, 15, 30):
        for before in range(4):
            for after in range(4):
                if before == after:
                    continue
                mood = SteadyMood(EmotionSettings().patience().steadiness)
                for step in range(round(8 * rate)):
                    true = before if step < 4 * rate else after
                    shares = random.dirichlet(np.where(np.arange(4) == true, 6.0, 1.0))
                    mood.read([float(one) for one in shares], step / rate)
                    if step >= 4 * rate and mood.mood == MOODS[after]:
                        took.append(step / rate - 4)
                        break
                else:
                    took.append(4.0)
    worst = float(np.percentile(took, 95))
    yield Row("a change of mood is told after, p95 (noisy readings, 5-30 frames/s)", worst, "s", "<= 1.5", worst <= 1.5)
    left, changes, real = [], 0, 0
    expected = json.loads((ROOT / "tests" / "emotion" / "expectations.json").read_text())
    reader = Reader(HaarFinder(), Classifier())
    for name, entry in expected.items():
        for rate in (6, 10, 15, 30):
            named: list[Mood] = []
            last_seen = 0.0
            for moment in replay(data / "video" / name, reader, EmotionSettings().patience(), rate):
                last_seen = moment.time_s if moment.reading.faces else last_seen
                mood_now = moment.mood.mood if moment.mood else Mood.NOBODY
                if moment.changed and mood_now != Mood.UNSURE and named[-1:] != [mood_now]:
                    named.append(mood_now)
                    if mood_now is Mood.NOBODY:
                        left.append(moment.time_s - last_seen)
            changes, real = changes + len(named), real + len(entry["moods"])
    yield Row("nobody is told after leaving, at most (video, four rates)", max(left), "s", "<= 3", max(left) <= 3)
    yield Row(
        f"moods named per real one, three videos, four rates ({real} real)",
        changes / real,
        "x",
        "<= 1",
        changes <= real,
    )


def plot(rows: list[Row], path: Path) -> None:
    """Frames per second on one core, ours and others."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    bars = [row for row in rows if row.unit == "frames/s"]
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(bars) + 1))
    axes.barh([row.what for row in bars], [row.value for row in bars], color="#4477aa")
    axes.bar_label(axes.containers[0], fmt="%.0f", padding=3)  # type: ignore[arg-type]
    axes.invert_yaxis()
    axes.set_xlabel("frames per second on one core")
    figure.tight_layout()
    figure.savefig(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("MOODSTREAM_REFERENCE", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--yunet", type=Path, help="weights of YuNet; those of the reference data when not given")
    parser.add_argument("--peer-python", type=Path, help="interpreter of an environment with the package fer")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--only", choices=["photographs", "speeds", "workers", "start", "overload", "delays"])
    given = parser.parse_args()
    yunet: Path | None = given.yunet or given.data / "models" / "yunet_n_dynamic.onnx"
    yunet = yunet if yunet and yunet.is_file() else None
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "photographs": lambda: photographs(HaarFinder(), given.data, "Haar"),
        "photographs (YuNet)": lambda: photographs(YuNetFinder(yunet), given.data, "YuNet") if yunet else iter(()),
        "speeds": lambda: speeds(given.data, yunet, given.peer_python),
        "workers": lambda: two_workers(given.data),
        "start": start_and_memory,
        "overload": lambda: overload(given.data),
        "delays": lambda: delays(given.data),
    }
    rows: list[Row] = []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, OpenCV {cv2.__version__}")
    for name, part in parts.items():
        if given.only is None or name.startswith(given.only):
            for row in part():
                rows.append(row)
                print(row, flush=True)
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    if given.plot:
        plot(rows, given.plot)
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
