"""Where pictures come from: files, which are asked for the picture that is due, and cameras, which give theirs when
they like. They are used in the capture process alone, which can be ended when one of them hangs.

Only this module captures with OpenCV.
"""

import logging
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from moodstream.errors import MoodstreamError
from services.camera.capture.http_source import NotPictures, open_http
from services.camera.capture.lost import SourceLost
from services.camera.capture.opencv import cv2
from services.camera.capture.picture import Image, decode
from services.camera.drawn import pattern
from services.camera.rules.address import PATTERN, is_stream, masked, webcam_number
from services.camera.rules.job import Job

log = logging.getLogger("moodstream.camera")

OPEN_MS, READ_MS = 5_000, 3_000
PICTURE_S, FOLDER_PICTURE_S = 4.0, 2.0
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MAX_BYTES = 64 * 1024 * 1024

OpenVideo = Callable[..., Any]
"""``cv2.VideoCapture``, or what stands in for it in tests"""


class FileSource(Protocol):
    """Plays: gives the picture that is due."""

    def read(self, at_s: float) -> tuple[int, Image] | None:
        """The number and the picture of ``at_s`` seconds after the start; None at the end.

        The same number means the same picture, which a video need not give twice.
        """
        ...

    repeats: bool
    """whether a picture that is still due is given again"""

    def close(self) -> None: ...


class CameraSource(Protocol):
    """Lives: its pictures come when they come."""

    rate: float
    """pictures a second, as the camera claims; 0 when it does not say"""

    def wait(self) -> bool:
        """Wait for the next picture and return whether it can be read. Raises SourceLost."""
        ...

    def picture(self) -> Image | None:
        """The picture that has come last; None when it is broken."""
        ...

    def close(self) -> None: ...


def open_file(address: str) -> FileSource:
    """Raises MoodstreamError in one line for what is no picture, video or folder of pictures."""
    if address == PATTERN:
        return PatternSource()
    path = Path(address)
    if path.is_dir():
        return PictureSource(_pictures(path), FOLDER_PICTURE_S)
    if not path.is_file():
        raise MoodstreamError(f"no such camera or file: {masked(address)}")
    if path.suffix.lower() in PICTURES:
        return PictureSource([path], PICTURE_S)
    return VideoSource(path)


def open_camera(job: Job, open_video: OpenVideo = cv2.VideoCapture) -> CameraSource:
    """Raises SourceLost when the camera is away, MoodstreamError for an address that names none."""
    number = webcam_number(job.address)
    if number is not None:
        return _webcam(number, job, open_video)
    if not is_stream(job.address):
        raise MoodstreamError(f"a webcam is named webcam:0 or /dev/video0, not {job.address}")
    if job.address.lower().startswith("http"):
        try:
            return open_http(job.address, verify_tls=job.verify_tls)
        except NotPictures:
            log.debug("%s is neither MJPEG nor a picture; FFmpeg opens it", masked(job.address))
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _ffmpeg_options(job)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
    return VideoCamera(open_video(job.address, cv2.CAP_FFMPEG, limits), masked(job.address))


def _ffmpeg_options(job: Job) -> str:
    """What FFmpeg is told beside the address: RTSP over TCP, and certificates checked, which it does not do by itself.

    OpenCV takes it from the environment alone; this process opens one camera.
    """
    options = ["rtsp_transport;tcp"]
    authorities = ssl.get_default_verify_paths().cafile
    if job.verify_tls and job.address.lower().startswith("rtsps:") and authorities:
        options += ["tls_verify;1", f"ca_file;{authorities}"]
    return "|".join(options)


def _webcam(number: int, job: Job, open_video: OpenVideo) -> "VideoCamera":
    video = open_video(number)
    if job.size is not None and video.isOpened():
        # Raw pictures fill a USB 2 line at 640x480 already; webcams give larger ones as MJPEG alone.
        video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        video.set(cv2.CAP_PROP_FRAME_WIDTH, job.size[0])
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, job.size[1])
    return VideoCamera(video, f"webcam:{number}")


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not found:
        raise MoodstreamError(f"no pictures in the folder {folder}")
    return found


class PatternSource:
    """One cycle of the drawn face."""

    repeats = True

    def read(self, at_s: float) -> tuple[int, Image] | None:
        return (0, pattern.draw(at_s)) if at_s < pattern.CYCLE_S else None

    def close(self) -> None:
        """Nothing is open."""


class PictureSource:
    """Pictures one after the other, each for a while."""

    repeats = True

    def __init__(self, paths: list[Path], each_s: float) -> None:
        self._paths, self._each_s = paths, each_s
        self._place, self._image = 0, _picture(paths[0])

    def read(self, at_s: float) -> tuple[int, Image] | None:
        place = int(at_s / self._each_s)
        if place >= len(self._paths):
            return None
        if place != self._place:
            self._place = place
            try:
                self._image = _picture(self._paths[place])
            except MoodstreamError as error:
                log.warning("%s; the one before stays", error)
        return place, self._image

    def close(self) -> None:
        """Nothing is open."""


def _picture(path: Path) -> Image:
    try:
        image = decode(path.read_bytes()) if path.stat().st_size <= MAX_BYTES else None
    except OSError:
        image = None
    if image is None:
        raise MoodstreamError(f"not a picture that can be read: {path}")
    return image


class VideoSource:
    """A video file. Frames that are not due are passed over without being made to pictures."""

    repeats = False

    def __init__(self, path: Path) -> None:
        self._video = cv2.VideoCapture(str(path))
        self._rate = self._video.get(cv2.CAP_PROP_FPS) or 25.0
        self._grabbed, self._time_s = 0, 0.0
        self._shown = -1
        self._image: Image | None = None
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

    def read(self, at_s: float) -> tuple[int, Image] | None:
        # a frame that is due within half its own length is the nearest
        while self._time_s < at_s - 0.5 / self._rate:
            if not self._grab():
                return None
        if self._shown != self._grabbed or self._image is None:
            whole, image = self._video.retrieve()
            while not whole:  # a broken frame is passed over
                if not self._grab():
                    return None
                whole, image = self._video.retrieve()
            self._shown, self._image = self._grabbed, np.asarray(image, dtype=np.uint8)
        return self._shown, self._image

    def close(self) -> None:
        self._video.release()


class VideoCamera:
    """A webcam or a stream, through OpenCV. Every picture is taken from the driver, so that the next is the newest."""

    def __init__(self, video: Any, name: str) -> None:
        if not video.isOpened():
            video.release()
            raise SourceLost(f"cannot open {name}")
        self._video, self._name = video, name
        self.rate = float(video.get(cv2.CAP_PROP_FPS) or 0.0)

    def wait(self) -> bool:
        if not self._video.grab():
            raise SourceLost(f"{self._name} gives no pictures")
        return True

    def picture(self) -> Image | None:
        whole, image = self._video.retrieve()
        return np.asarray(image, dtype=np.uint8) if whole else None

    def close(self) -> None:
        self._video.release()
