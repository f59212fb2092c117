"""Files that are played: the drawn face, pictures, videos, folders. They are asked for the picture that is due."""

import logging
from collections import deque
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Protocol

from moodstream.errors import MoodstreamError
from services.camera.capture.picture import Image, decode, is_whole
from services.camera.drawn import pattern
from services.camera.rules.address import DRAWN, PATTERN, masked
from shared.media_files import is_film_of_jpegs, is_picture, media_in
from shared.videos import FrameTimes, NotAVideo, open_video

log = logging.getLogger("moodstream.camera")

PICTURE_S, FOLDER_PICTURE_S = 4.0, 2.0
MAX_BYTES = 64 * 1024 * 1024


class NotAPicture(MoodstreamError):
    """It cannot be shown as a picture; ``is_cut`` when its end is missing."""

    def __init__(self, path: Path, *, is_cut: bool) -> None:
        super().__init__(f"not a picture that can be read: {path}")
        self.is_cut = is_cut


class FileSource(Protocol):
    """Gives the picture that is due."""

    @property
    def repeats(self) -> bool:
        """Whether a picture that is still due counts as a new frame."""
        ...

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        """The number and the picture of the frame due ``at_s`` seconds after the start; None at the end.

        The same number means the same frame as before.
        """
        ...

    def close(self) -> None: ...


def open_file(address: str, *, once: bool = False) -> FileSource:
    """``once``: it is played to its end, and not again.

    Raises MoodstreamError with one line for anything but a picture, a video or a folder of them.
    """
    if address in DRAWN:
        return PatternSource(pattern.STAYING if address == PATTERN and not once else pattern.SCRIPT)
    path = Path(address)
    if path.is_dir():
        return FolderSource(_media(path))
    if not path.is_file():
        raise MoodstreamError(f"no such camera or file: {masked(address)}")
    return _open_one(path, PICTURE_S)


def _open_one(path: Path, picture_s: float) -> "PictureSource | VideoSource":
    """A name says what is tried first, the bytes decide: films are called ``.jpg``, too, and photographs are HEIC."""
    if not is_picture(path) or is_film_of_jpegs(path):
        return VideoSource(path)
    try:
        return PictureSource(path, picture_s)
    except NotAPicture as no_picture:
        if no_picture.is_cut:  # a decoder of films would fill what is missing with grey
            raise
        try:
            return VideoSource(path)
        except MoodstreamError:
            raise no_picture from None


def _media(folder: Path) -> list[Path]:
    try:
        found = list(media_in(folder))
    except OSError as error:
        raise MoodstreamError(f"{folder}: {error.strerror}") from None
    if not found:
        raise MoodstreamError(f"no pictures or videos in the folder {folder}")
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
    """One picture, for some seconds."""

    repeats = True

    def __init__(self, path: Path, length_s: float) -> None:
        self._image, self.length_s = _picture(path), length_s

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        return (0, self._image) if at_s < self.length_s else None

    def close(self) -> None:
        """Nothing is open."""


class FolderSource:
    """Pictures, each for some seconds, and videos, one after the other; what cannot be read is left out."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises MoodstreamError when none of them can be read."""
        self._coming = deque(paths)
        self._begun_s, self._first, self._number = 0.0, 0, 0
        self._source: PictureSource | VideoSource | None = None
        self._fault: MoodstreamError | None = None
        self._open_next()
        if self._source is None and self._fault is not None:
            raise self._fault

    @property
    def repeats(self) -> bool:
        return self._source is not None and self._source.repeats

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        while self._source is not None:
            read = self._source.read_frame(at_s - self._begun_s)
            if read is not None:
                self._number = self._first + read[0]
                return self._number, read[1]
            self._begun_s = min(at_s, self._begun_s + self._source.length_s)
            self._first = self._number + 1
            self.close()
            self._open_next()
        return None

    def _open_next(self) -> None:
        self._source = None
        while self._source is None and self._coming:
            try:
                self._source = _open_one(self._coming.popleft(), FOLDER_PICTURE_S)
            except MoodstreamError as error:
                self._fault = error
                log.warning("%s; skipped", error)

    def close(self) -> None:
        if self._source is not None:
            self._source.close()


def _picture(path: Path) -> Image:
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    except OSError:
        data = b""
    image = decode(data)
    if image is None:
        raise NotAPicture(path, is_cut=not is_whole(data))
    return image


class VideoSource:
    """A video file. Frames that are not due are skipped without being decoded."""

    repeats = False
    length_s = inf
    """not known before its end"""

    def __init__(self, path: Path) -> None:
        try:
            self._video = open_video(path)
        except NotAVideo as error:
            raise MoodstreamError(f"not a video that can be read: {path}: {error}") from None
        self._half_s = 0.5 / FrameTimes(self._video.rate).rate
        self._grabbed, self._time_s = 0, 0.0
        self._shown = -1
        self._image: Image | None = None
        if not self._grab() or self._video.picture() is None:
            self._video.close()
            raise MoodstreamError(f"not a video that can be read: {path}: no frame of it can be decoded")

    def _grab(self) -> bool:
        time_s = self._video.next_s()
        if time_s is None:
            return False
        self._time_s = time_s
        self._grabbed += 1
        return True

    def read_frame(self, at_s: float) -> tuple[int, Image] | None:
        # a frame that is due within half its own length is the nearest
        while self._time_s < at_s - self._half_s:
            if not self._grab():
                return None
        if self._shown != self._grabbed or self._image is None:
            image = self._video.picture()
            while image is None:  # skip broken frames
                if not self._grab():
                    return None
                image = self._video.picture()
            self._shown, self._image = self._grabbed, image
        return self._shown, self._image

    def close(self) -> None:
        self._video.close()
