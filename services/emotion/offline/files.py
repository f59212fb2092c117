"""Reading files from the command line: pictures of any size, videos a few times a second, folders of both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from services.emotion.faces.decode import MAX_PIXELS, Grey, PictureRefused, TooManyPixels, decode_colour, decode_grey
from services.emotion.faces.reader import Reader
from services.emotion.offline.album import Album
from services.emotion.offline.drawing import Picture
from services.emotion.offline.explain import explain
from services.emotion.visits.smoothing import Steadiness
from shared.media_files import is_film_of_jpegs, media_in
from shared.videos import NotAVideo, OfTiles, open_video

MAX_FILE_BYTES = 64_000_000
MAX_FILE_PIXELS = 250_000_000
"""of a JPEG, which is made smaller while it is decoded; more than any camera has"""
VIDEO_READS_PER_S = 2.0
SHOWN = {"box", "mood", "confidence", "probabilities", "refused"}
"""The fields of a face in ``moodstream read --json``; other programs rely on them."""
_PNG = b"\x89PNG\r\n\x1a\n"
_PICTURES = (b"\xff\xd8\xff", _PNG)


def read_path(
    reader: Reader, path: Path, explained: Steadiness | None = None, album: Album | None = None
) -> Iterator[dict[str, Any]]:
    """The results of a file, or of each picture and video in a folder; see ``read_file``."""
    if not path.is_dir():
        yield from read_file(reader, path, explained, album)
        return
    try:
        files = list(media_in(path))
    except OSError as error:
        yield _failure(path, error.strerror or str(error))
        return
    if not files:
        yield _failure(path, "no pictures or videos in this folder")
    for file in files:
        yield from read_file(reader, file, explained, album)


def read_file(
    reader: Reader, path: Path, explained: Steadiness | None = None, album: Album | None = None
) -> Iterator[dict[str, Any]]:
    """Yields {"file", "faces", "error"}: once for a picture, and with "time_s" for each frame read from a video.

    With ``explained`` each face also has its checks; with ``album`` the picture is drawn, and "drawn" names its file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(_PICTURES) and not is_film_of_jpegs(path):
            try:
                yield _read_picture(reader, path, explained, album)
                return
            except TooManyPixels:
                if not head.startswith(_PNG):
                    raise
        yield from _read_video(reader, path, explained, album)
    except OSError as error:
        yield _failure(path, error.strerror or str(error))
    except PictureRefused as refused:
        yield _failure(path, str(refused))


def _failure(path: Path, error: str) -> dict[str, Any]:
    return {"file": str(path), "faces": [], "error": error}


def _read_picture(reader: Reader, path: Path, explained: Steadiness | None, album: Album | None) -> dict[str, Any]:
    data = path.read_bytes()
    max_pixels = MAX_PIXELS if data.startswith(_PNG) else MAX_FILE_PIXELS  # OpenCV cannot make a PNG smaller
    grey = decode_grey(data, png=True, max_bytes=MAX_FILE_BYTES, max_pixels=max_pixels)
    return _result(reader, path, grey, explained, album, decode_colour(data) if album else None)


def _result(
    reader: Reader,
    path: Path,
    grey: Grey,
    explained: Steadiness | None,
    album: Album | None,
    colour: Picture | None,
    time_s: float | None = None,
) -> dict[str, Any]:
    faces, shown_faces = reader.read_picture(grey, bare_crop=True), []
    for face in faces:
        shown = face.model_dump(mode="json", include=SHOWN)
        if explained:
            shown["explained"] = [figure.as_dict() for figure in explain(grey, face, explained)]
        shown_faces.append(shown)
    result: dict[str, Any] = {"file": str(path), "faces": shown_faces, "error": None}
    if time_s is not None:
        result["time_s"] = round(time_s, 3)
    if album is not None and colour is not None:
        result["drawn"] = str(album.add(path, colour, faces, time_s))
    return result


def _read_video(
    reader: Reader, path: Path, explained: Steadiness | None, album: Album | None
) -> Iterator[dict[str, Any]]:
    try:
        video = open_video(path)
    except OfTiles as error:
        raise PictureRefused(str(error)) from None
    except NotAVideo:
        raise PictureRefused("neither a picture nor a video") from None
    try:
        next_s, found = 0.0, False
        while (time_s := video.next_s()) is not None:
            if time_s < next_s:
                continue
            if (colour := video.picture()) is not None:
                next_s, found = time_s + 1 / VIDEO_READS_PER_S, True
                grey = np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY), np.uint8)
                yield _result(reader, path, grey, explained, album, colour, time_s)
        if not found:
            raise PictureRefused("neither a picture nor a video")
    finally:
        video.close()
