"""OpenCV for this service: silent, bounded and on one core. Its other modules take ``cv2`` from here."""

import os

# OpenCV and FFmpeg read these once, when they are loaded or first used, and would print on standard error by themselves.
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# A forged header of a few bytes would otherwise ask for gigabytes.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 26))
# A webcam that hangs is given up after so many seconds; the default is ten.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")

import cv2

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
cv2.setNumThreads(1)

__all__ = ["cv2"]
