"""Reading files from the command line: pictures of any size, or videos a few times a second."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from services.emotion.faces.decode import Grey, PictureRefused, decode_grey
from services.emotion.faces.reader import Reader
from services.emotion.offline.explain import explain
from services.emotion.visits.smoothing import Steadiness

MAX_FILE_BYTES = 64_000_000
VIDEO_READS_PER_S = 2.0
SHOWN = {"box", "mood", "confidence", "probabilities", "refused"}
"""The fields of a face in ``moodstream read --json``; other programs rely on them."""
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def read_file(reader: Reader, path: Path, explained: Steadiness | None = None) -> Iterator[dict[str, Any]]:
    """Yields {"file", "faces", "error"}: once for a picture, and with "time_s" for each frame read from a video.

    With ``explained`` each face also has its checks.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(_PICTURES):
            grey = decode_grey(path.read_bytes(), png=True, max_bytes=MAX_FILE_BYTES)
            yield _result(reader, path, grey, explained)
        else:
            yield from _read_video(reader, path, explained)
    except OSError as error:
        yield {"file": str(path), "faces": [], "error": error.strerror or str(error)}
    except PictureRefused as refused:
        yield {"file": str(path), "faces": [], "error": str(refused)}


def _result(reader: Reader, path: Path, grey: Grey, explained: Steadiness | None) -> dict[str, Any]:
    faces = []
    for face in reader.read_picture(grey, bare_crop=True):
        shown = face.model_dump(mode="json", include=SHOWN)
        if explained:
            shown["explained"] = [figure.as_dict() for figure in explain(grey, face, explained)]
        faces.append(shown)
    return {"file": str(path), "faces": faces, "error": None}


def _read_video(reader: Reader, path: Path, explained: Steadiness | None) -> Iterator[dict[str, Any]]:
    video = cv2.VideoCapture(str(path))
    try:
        next_s, found = 0.0, False
        while True:
            more, frame = video.read()
            if not more:
                break
            found = True
            time_s = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if time_s >= next_s:
                next_s = time_s + 1 / VIDEO_READS_PER_S
                grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
                yield _result(reader, path, grey, explained) | {"time_s": round(time_s, 3)}
        if not found:
            raise PictureRefused("neither a picture nor a video")
    finally:
        video.release()
