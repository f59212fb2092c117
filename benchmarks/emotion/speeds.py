"""Frames a second on one core: ours, the article's search, and the package ``fer`` in an environment of its own.

Speeds are of processor time, so that a busy machine disturbs little; the notes give those by the clock.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.emotion.frames import EMPTY, MAN, START, WOMAN, Video, frame, video
from benchmarks.emotion.table import Row
from services.emotion.faces.boxes import Box
from services.emotion.faces.classifier import Classifier
from services.emotion.faces.decode import decode_grey
from services.emotion.faces.detection import Detector
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.patches import crop
from services.emotion.faces.reader import Reader
from services.emotion.faces.yunet import YuNetDetector
from services.emotion.handlers import create_reading

ROUNDS = 3
SAME_FRAMES = 18

PEER = """
import json, sys, time
import cv2, numpy
from fer.fer import FER
peer = FER(mtcnn=False)
frames = [numpy.fromfile(name, numpy.uint8) for name in sys.argv[1:]]
cv2.setNumThreads(1)
peer.detect_emotions(cv2.imdecode(frames[0], cv2.IMREAD_COLOR))
cpu = wall = 0
for _ in range(3):
    start, start_cpu = time.perf_counter(), time.process_time()
    for frame in frames:
        peer.detect_emotions(cv2.imdecode(frame, cv2.IMREAD_COLOR))
    cpu = max(cpu, len(frames) / (time.process_time() - start_cpu))
    wall = max(wall, len(frames) / (time.perf_counter() - start))
print(json.dumps([cpu, wall]))
"""


class Speed(NamedTuple):
    """Frames a second, the best of some rounds."""

    cpu: float
    wall: float

    def row(self, what: str, at_least: float | None = None) -> Row:
        return Row(what, self.cpu, "frames/s", at_least, note=f"{self.wall:.0f} by the clock")


def speed(read: Callable[[bytes, int], object], jpegs: list[bytes]) -> Speed:
    best = Speed(0.0, 0.0)
    for _ in range(ROUNDS):
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        for seq, jpeg in enumerate(jpegs):
            read(jpeg, seq)
        cpu, wall = time.process_time() - start_cpu_s, time.perf_counter() - start_s
        best = Speed(max(best.cpu, len(jpegs) / cpu), max(best.wall, len(jpegs) / wall))
    return best


def ours(detector: Detector, classifier: Classifier, shown: Video) -> Speed:
    """JPEG in, reading out, as a worker does it, in the video's own time."""
    reader = Reader(detector, classifier)

    def read(jpeg: bytes, seq: int) -> object:
        return create_reading(reader, frame(jpeg, seq, START + timedelta(seconds=seq / shown.rate)))

    return speed(read, shown.jpegs)


def article(classifier: Classifier, jpegs: list[bytes]) -> Speed:
    """The whole frame searched each time with the article's settings; the same decoder and model."""
    cascades = Path(cv2.data.haarcascades)  # type: ignore[attr-defined]
    cascade = cv2.CascadeClassifier(str(cascades / "haarcascade_frontalface_default.xml"))

    def read(jpeg: bytes, _: int) -> object:
        grey = decode_grey(jpeg)
        boxes = cascade.detectMultiScale(grey, 1.3, 5)
        faces = [crop(grey, Box(int(x), int(y), int(width), int(height))) for x, y, width, height in boxes]
        return classifier.probabilities(np.stack(faces)) if faces else None

    return speed(read, jpegs)


def peer(python: Path, jpegs: list[bytes]) -> Speed:
    """The package ``fer`` in its own interpreter, on one core."""
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / f"{number}.jpg") for number in range(len(jpegs))]
        for name, jpeg in zip(names, jpegs, strict=True):
            Path(name).write_bytes(jpeg)
        single = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
        done = subprocess.run(
            [str(python), "-c", PEER, *names], env=os.environ | single, capture_output=True, text=True, check=True
        )
    return Speed(*json.loads(done.stdout.splitlines()[-1]))


def speeds(data: Path, classifier: Classifier, yunet: Path | None, peer_python: Path | None) -> Iterator[Row]:
    woman, man = video(data / "video" / WOMAN, 300), video(data / "video" / MAN, 72)
    empty, same = video(data / "video" / EMPTY), Video(woman.jpegs[:SAME_FRAMES], woman.rate)
    fast, haar = YuNetDetector(yunet), HaarDetector()
    whole = ours(fast, classifier, woman)
    yield whole.row("YuNet: one core, video with one face (woman)", 400)
    yield ours(fast, classifier, man).row("YuNet: one core, another video with one face (man)", 400)
    yield ours(fast, classifier, empty).row("YuNet: one core, an empty room")
    yield ours(haar, classifier, woman).row("Haar: one core, video with one face (woman)", 200)
    yield ours(haar, classifier, man).row("Haar: one core, another video with one face (man)", 200)
    yield ours(haar, classifier, empty).row("Haar: one core, an empty room")
    before, now = article(classifier, same.jpegs), ours(fast, classifier, same)
    yield now.row(f"YuNet: one core, {SAME_FRAMES} frames")
    yield before.row("the article's search (whole frame, 1.3), the same frames")
    yield _ratio("YuNet against the article's search, the same frames", now, before)
    if peer_python is not None:
        theirs = peer(peer_python, same.jpegs)
        yield theirs.row("fer (its Haar), the same frames")
        yield _ratio("YuNet against fer, the same frames", now, theirs, 15)
        yield _ratio("YuNet against fer, the whole video", whole, theirs, 25)


def _ratio(what: str, one: Speed, other: Speed, at_least: float | None = None) -> Row:
    return Row(what, one.cpu / other.cpu, "x", at_least, note=f"{one.wall / other.wall:.2f}x by the clock")
