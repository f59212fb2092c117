"""Where pictures come from: each source gives the picture that is due, and says in one line why it cannot.

Only this module captures with OpenCV.
"""

import contextlib
import logging
import threading
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from services.camera import pattern
from services.camera.opencv import cv2
from shared.errors import MoodstreamError

log = logging.getLogger("moodstream.camera")

Image = NDArray[np.uint8]
"""A picture [height, width, 3], blue green red."""

OPEN_MS, READ_MS = 5_000, 3_000
PICTURE_S, FOLDER_PICTURE_S = 4.0, 2.0
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


class SourceLost(Exception):
    """A live source gives no pictures at the moment; it may come back."""


class Source(Protocol):
    """Gives pictures. All methods block and are called from one thread at a time."""

    def read(self, at_s: float) -> Image | None:
        """The picture that is due ``at_s`` seconds after the start; None at the end. Raises SourceLost."""
        ...

    def close(self) -> None: ...


def masked(address: str) -> str:
    """The address without user and password, for logs and events."""
    place = urlsplit(address).netloc
    return address.replace(place, place.rpartition("@")[2], 1) if "@" in place else address


def is_live(address: str) -> bool:
    """Whether the address names a camera, which can fail and come back; files and the drawn face cannot."""
    return address.startswith(("webcam:", "/dev/video", "rtsp://", "http://", "https://"))


def open_source(address: str) -> Source:
    """Open a camera, a stream or a file.

    Raises MoodstreamError in one line for an address or a file that is wrong, SourceLost for a camera that is away.
    """
    if address == "pattern:":
        return PatternSource()
    if is_live(address):
        return LiveSource(_capture(address), masked(address))
    path = Path(address)
    if path.is_dir():
        return PictureSource(_pictures(path), FOLDER_PICTURE_S)
    if not path.is_file():
        raise MoodstreamError(f"no such camera or file: {masked(address)}")
    if path.suffix.lower() in PICTURES:
        return PictureSource([path], PICTURE_S)
    return VideoSource(path)


def webcam_works() -> bool:
    """Whether there is a first webcam that can be opened."""
    if not Path("/dev").exists() or not list(Path("/dev").glob("video*")):
        return False
    try:
        open_source("webcam:0").close()
    except (MoodstreamError, SourceLost):
        return False
    return True


def _capture(address: str) -> cv2.VideoCapture:
    if address.startswith(("webcam:", "/dev/video")):
        number = address.removeprefix("webcam:").removeprefix("/dev/video")
        if not number.isdigit():
            raise MoodstreamError(f"a webcam is named webcam:0 or /dev/video0, not {address}")
        return cv2.VideoCapture(int(number))
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not found:
        raise MoodstreamError(f"no pictures in the folder {folder}")
    return found


class PatternSource:
    """One cycle of the drawn face."""

    def read(self, at_s: float) -> Image | None:
        return pattern.draw(at_s) if at_s < pattern.CYCLE_S else None

    def close(self) -> None:
        """Nothing is open."""


class PictureSource:
    """Pictures one after the other, each for a while."""

    def __init__(self, paths: list[Path], each_s: float) -> None:
        self._paths, self._each_s = paths, each_s
        self._place, self._image = 0, _picture(paths[0])

    def read(self, at_s: float) -> Image | None:
        place = int(at_s / self._each_s)
        if place >= len(self._paths):
            return None
        if place != self._place:
            self._place = place
            try:
                self._image = _picture(self._paths[place])
            except MoodstreamError as error:
                log.warning("%s; the one before stays", error)
        return self._image

    def close(self) -> None:
        """Nothing is open."""


def _picture(path: Path) -> Image:
    image = None
    with contextlib.suppress(cv2.error):  # more pixels than are allowed
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise MoodstreamError(f"not a picture that can be read: {path}")
    return np.asarray(image, dtype=np.uint8)


class VideoSource:
    """A video file. Frames that are not due are passed over without being decoded to pictures."""

    def __init__(self, path: Path) -> None:
        self._video = cv2.VideoCapture(str(path))
        self._rate = self._video.get(cv2.CAP_PROP_FPS) or 25.0
        self._grabbed, self._time_s = 0, 0.0
        if not self._grab() or not self._video.retrieve()[0]:
            self._video.release()
            raise MoodstreamError(f"not a video that can be read: {path}")

    def _grab(self) -> bool:
        if not self._video.grab():
            return False
        # some files have no times of their own; their frames are evenly spaced
        told_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._time_s = told_s if told_s > 0 else self._grabbed / self._rate
        self._grabbed += 1
        return True

    def read(self, at_s: float) -> Image | None:
        while self._time_s < at_s:
            if not self._grab():
                return None
        whole, image = self._video.retrieve()
        while not whole:  # a broken frame is passed over
            if not self._grab():
                return None
            whole, image = self._video.retrieve()
        return np.asarray(image, dtype=np.uint8)

    def close(self) -> None:
        self._video.release()


class LiveSource:
    """A webcam or a stream. A thread of its own empties the driver's queue, so that the newest picture is given."""

    def __init__(self, video: cv2.VideoCapture, name: str) -> None:
        if not video.isOpened():
            video.release()
            raise SourceLost(f"cannot open {name}")
        self._video, self._name = video, name
        self._newest: Image | None = None
        self._lost = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._empty, name=f"camera {name}", daemon=True)
        self._thread.start()

    def _empty(self) -> None:
        whole = True
        while whole and not self._lost:
            whole, image = self._video.read()
            with self._changed:
                self._newest = np.asarray(image, dtype=np.uint8) if whole else None
                self._lost |= not whole
                self._changed.notify_all()

    def read(self, at_s: float) -> Image | None:
        with self._changed:
            self._changed.wait_for(lambda: self._lost or self._newest is not None, timeout=READ_MS / 1000)
            image, self._newest = self._newest, None
        if image is None:
            raise SourceLost(f"{self._name} gives no pictures")
        return image

    def close(self) -> None:
        self._lost = True
        self._thread.join(timeout=READ_MS / 1000 + 1)
        if not self._thread.is_alive():  # a driver that hangs keeps its handle; releasing it under its feet would crash
            self._video.release()


def encode(image: Image, max_side_px: int, quality: int) -> bytes:
    """The picture as a JPEG whose longer side is at most ``max_side_px``."""
    scale = max_side_px / max(image.shape[:2])
    if scale < 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return jpeg.tobytes()


def now_run_id() -> str:
    """An id that grows from run to run."""
    return f"{time.time_ns():020d}"
