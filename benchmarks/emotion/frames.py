"""Frames to measure with: the reference videos, as a webcam would send them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import cv2

from moodstream.contracts.events import FrameCaptured

START = datetime(2026, 1, 1, tzinfo=UTC)
WOMAN, MAN, EMPTY = "WolfgangLanger_Pexels.mp4", "face_noface.mov", "no_face.mp4"


class Video(NamedTuple):
    jpegs: list[bytes]
    """of 640x480 pixels"""
    rate: float
    """frames a second"""


def video(path: Path, count: int = 10_000) -> Video:
    """The middle of the first frames of a video."""
    capture = cv2.VideoCapture(str(path))
    rate, jpegs = capture.get(cv2.CAP_PROP_FPS), list[bytes]()
    while len(jpegs) < count:
        more, picture = capture.read()
        if not more:
            break
        height, width = picture.shape[:2]
        margin = max(0, (width - height * 4 // 3) // 2)
        small = cv2.resize(picture[:, margin : width - margin], (640, 480), interpolation=cv2.INTER_AREA)
        jpegs.append(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    capture.release()
    return Video(jpegs, rate)


def frame(jpeg: bytes, seq: int, at: datetime, camera: str = "c") -> FrameCaptured:
    return FrameCaptured(camera_id=camera, run_id="1", seq=seq, captured_at=at, jpeg=jpeg)
