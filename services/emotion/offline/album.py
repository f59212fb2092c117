"""Pictures with what was read in them, as files of one folder: ``moodstream read --draw FOLDER``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2

from moodstream.contracts.events import FaceRead
from moodstream.errors import MoodstreamError
from services.emotion.offline.drawing import Picture, draw_faces
from shared.files import replacing

QUALITY = 92


class Album:
    """Writes ``NAME-drawn.jpg`` for a picture, and ``NAME-00012.50s-drawn.jpg`` for a moment of a video.

    Two files of one name, from different folders, are numbered; what an earlier run drew is replaced.
    """

    def __init__(self, folder: Path, sources: Sequence[Path]) -> None:
        """Makes the folder. Raises MoodstreamError when it cannot, or when it is one of ``sources``."""
        self._folder = folder
        self._written: set[str] = set()
        if any(source.is_dir() and folder.exists() and source.samefile(folder) for source in sources):
            raise MoodstreamError(f"{folder}: draw into another folder than the one that is read")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MoodstreamError(f"{folder}: {error.strerror}") from None

    def add(self, source: Path, picture: Picture, faces: Iterable[FaceRead], time_s: float | None = None) -> Path:
        """Draw the faces into a copy of a picture uint8[H, W, 3] and write it. Raises MoodstreamError."""
        when = "" if time_s is None else f"-{time_s:08.2f}s"
        path = self._folder / self._free_name(f"{source.stem}{when}")
        _, jpeg = cv2.imencode(".jpg", draw_faces(picture, faces), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        try:
            with replacing(path, make_folders=False) as file:
                file.write(jpeg.tobytes())
        except OSError as error:
            raise MoodstreamError(f"{path}: {error.strerror}") from None
        return path

    def _free_name(self, stem: str) -> str:
        name, number = f"{stem}-drawn.jpg", 1
        while name in self._written:
            number += 1
            name = f"{stem}-{number}-drawn.jpg"
        self._written.add(name)
        return name
