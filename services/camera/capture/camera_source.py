"""Cameras, which give pictures at their own pace: webcams and streams through OpenCV, others by ``http_source``.

They are opened in the capture process alone, which can be killed when one of them hangs.
"""

import logging
import os
import ssl
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from moodstream.errors import MoodstreamError
from services.camera.capture.errors import SourceUnavailable
from services.camera.capture.http_connection import TIMEOUT_S, NotPictures
from services.camera.capture.http_source import open_http
from services.camera.capture.opencv import cv2
from services.camera.capture.picture import Image
from services.camera.capture.rtsp_reason import why_not
from services.camera.rules.address import is_stream, masked, webcam_number
from services.camera.rules.job import Job
from shared.videos import AvVideo, NotAVideo

log = logging.getLogger("moodstream.camera")

OPEN_S = 5.0
PATIENCE_PICTURES = 2.5
"""A camera is lost when so many pictures in a row are missing, and not before three seconds."""
TLS = ("https:", "rtsps:", "rtmps:")

OpenVideo = Callable[..., Any]
"""``cv2.VideoCapture``, or what stands in for it in tests"""


class CameraSource(Protocol):
    """Gives pictures at its own pace."""

    rate: float
    """pictures a second as the camera claims; 0 when unknown"""

    def wait_for_picture(self) -> bool:
        """Wait for the next picture. Returns whether it can be decoded. Raises SourceUnavailable."""
        ...

    def decode_picture(self) -> Image | None:
        """The last picture; None when it is broken."""
        ...

    def close(self) -> None: ...


def open_camera(job: Job, open_video: OpenVideo = cv2.VideoCapture) -> CameraSource:
    """Raises SourceUnavailable when the camera does not answer, MoodstreamError for an invalid address."""
    number = webcam_number(job.address)
    if number is not None:
        return _webcam(number, job, open_video)
    if not is_stream(job.address):
        raise MoodstreamError(f"a webcam is named webcam:0 or /dev/video0, not {job.address}")
    if job.address.lower().startswith("http"):
        try:
            return open_http(job.address, verify_tls=job.verify_tls, timeout_s=_patience_s(job))
        except NotPictures:
            log.debug("%s is neither MJPEG nor a picture; trying FFmpeg", masked(job.address))
    options = _ffmpeg_options(job)
    try:
        return _open_stream(job, options, open_video)
    except (SourceUnavailable, NotAVideo):
        reason = why_not(job.address, verify_tls=job.verify_tls)
        raise SourceUnavailable(f"cannot open {masked(job.address)}{reason}") from None


def _open_stream(job: Job, options: dict[str, str], open_video: OpenVideo) -> "VideoCamera | StreamCamera":
    """Raises SourceUnavailable or NotAVideo."""
    name, patience_s = masked(job.address), _patience_s(job)
    if find_spec("av") is not None:
        return StreamCamera(AvVideo(job.address, options, (OPEN_S, patience_s), live=True), name)
    # OpenCV reads options only from the environment; this process opens one camera
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "|".join(";".join(option) for option in options.items())
    limits = {cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: OPEN_S, cv2.CAP_PROP_READ_TIMEOUT_MSEC: patience_s}
    given = [number for limit, seconds in limits.items() for number in (limit, round(1_000 * seconds))]
    return VideoCamera(open_video(job.address, cv2.CAP_FFMPEG, given), name)


def _patience_s(job: Job) -> float:
    """How long a picture may take; a camera that was set to less than one a second is given longer."""
    return max(TIMEOUT_S, PATIENCE_PICTURES / job.rate)


def _ffmpeg_options(job: Job) -> dict[str, str]:
    """FFmpeg's options: RTSP over TCP, or UDP where a camera has no other way; no redirects; certificates are checked.

    The check is on whatever the scheme, for FFmpeg may come to TLS by ways of its own; without authorities that it
    could trust it refuses every certificate.
    """
    options = {"rtsp_transport": "udp+tcp", "rtsp_flags": "prefer_tcp", "max_redirects": "0"}
    if job.verify_tls:
        options["tls_verify"] = "1"
        if authorities := ssl.get_default_verify_paths().cafile:
            options["ca_file"] = authorities
        elif job.address.lower().startswith(TLS):
            raise SourceUnavailable(
                f"cannot open {masked(job.address)}: this machine has no file of certificate authorities; "
                "SSL_CERT_FILE names one"
            )
    return options


def _webcam(number: int, job: Job, open_video: OpenVideo) -> "VideoCamera":
    video = open_video(number)
    if job.size is not None and video.isOpened():
        # Raw pictures of 640x480 already fill a USB 2 line; webcams give larger ones only as MJPEG.
        video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        video.set(cv2.CAP_PROP_FRAME_WIDTH, job.size[0])
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, job.size[1])
    return VideoCamera(video, f"webcam:{number}")


class StreamCamera:
    """A stream through PyAV, which reads interlaced ones too. The next picture is the newest that has arrived."""

    def __init__(self, video: AvVideo, name: str) -> None:
        self._video, self._name, self.rate = video, name, video.rate

    def wait_for_picture(self) -> bool:
        if self._video.next_s() is None:
            raise SourceUnavailable(f"{self._name} gives no pictures")
        return True

    def decode_picture(self) -> Image | None:
        return self._video.picture()

    def close(self) -> None:
        self._video.close()


class VideoCamera:
    """A webcam, or a stream where PyAV is not installed, through OpenCV.

    Every picture is taken from the driver, so that the next is the newest.
    """

    def __init__(self, video: Any, name: str) -> None:
        if not video.isOpened():
            video.release()
            raise SourceUnavailable(f"cannot open {name}")
        self._video, self._name = video, name
        self.rate = float(video.get(cv2.CAP_PROP_FPS) or 0.0)

    def wait_for_picture(self) -> bool:
        if not self._video.grab():
            raise SourceUnavailable(f"{self._name} gives no pictures")
        return True

    def decode_picture(self) -> Image | None:
        whole, image = self._video.retrieve()
        return np.asarray(image, dtype=np.uint8) if whole else None

    def close(self) -> None:
        self._video.release()
