"""Files that are played: the drawn face, pictures, videos. They are asked for the picture that is due."""

import logging
from pathlib import Path
from typing import Protocol

import numpy as np

from moodstream.errors import MoodstreamError
from services.camera.capture.opencv import cv2
from services.camera.capture.picture import Image, decode
from services.camera.drawn import pattern
from services.camera.rules.address import DRAWN, PATTERN, masked

log = logging.getLogger("moodstream.camera")

PICTURE_S, FOLDER_PICTURE_S = 4.0, 2.0
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MAX_BYTES = 64 * 1024 * 1024


class FileSource(Protocol):
    """Gives the picture that is due."""

    repeats: bool
    """whether a picture that is still due counts as a new frame"""

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        """The number and the picture of the frame due ``at_s`` seconds after the start; None at the end.

        The same number means the same frame as before.
        """
        ...

    def close(self) -> None: ...


def open_file(address: str, *, once: bool = False) -> FileSource:
    """``once``: it is played to its end, and not again.

    Raises MoodstreamError with one line for anything but a picture, a video or a folder of pictures.
    """
    if address in DRAWN:
        return PatternSource(pattern.STAYING if address == PATTERN and not once else pattern.SCRIPT)
    path = Path(address)
    if path.is_dir():
        return PictureSource(_pictures(path), FOLDER_PICTURE_S)
    if not path.is_file():
        raise MoodstreamError(f"no such camera or file: {masked(address)}")
    if path.suffix.lower() in PICTURES:
        return PictureSource([path], PICTURE_S)
    return VideoSource(path)


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not found:
        raise MoodstreamError(f"no pictures in the folder {folder}")
    return found


class PatternSource:
    """One cycle of the drawn face."""

    repeats = True

    def __init__(self, script: pattern.Script) -> None:
        self._script = script

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        return (0, pattern.draw(at_s, script=self._script)) if at_s < pattern.length_s(self._script) else None

    def close(self) -> None:
        """Nothing is open."""


class PictureSource:
    """Pictures one after the other, each for some seconds."""

    repeats = True

    def __init__(self, paths: list[Path], each_s: float) -> None:
        self._paths, self._each_s = paths, each_s
        self._index, self._image = 0, _picture(paths[0])

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        index = int(at_s / self._each_s)
        if index >= len(self._paths):
            return None
        if index != self._index:
            self._index = index
            try:
                self._image = _picture(self._paths[index])
            except MoodstreamError as error:
                log.warning("%s; the previous picture stays", error)
        return index, self._image

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
    """A video file. Frames that are not due are skipped without being decoded."""

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
        # files without timestamps have evenly spaced frames
        timestamp_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._time_s = timestamp_s if timestamp_s > 0 else self._grabbed / self._rate
        self._grabbed += 1
        return True

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        # a frame that is due within half its own length is the nearest
        while self._time_s < at_s - 0.5 / self._rate:
            if not self._grab():
                return None
        if self._shown != self._grabbed or self._image is None:
            whole, image = self._video.retrieve()
            while not whole:  # skip broken frames
                if not self._grab():
                    return None
                whole, image = self._video.retrieve()
            self._shown, self._image = self._grabbed, np.asarray(image, dtype=np.uint8)
        return self._shown, self._image

    def close(self) -> None:
        self._video.release()
