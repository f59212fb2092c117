"""OpenCV for this service: silent, bounded and on one core. Its other modules take ``cv2`` from here."""

import os

# OpenCV and FFmpeg print on standard error by themselves; they read these once, when loaded or first used.
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# A forged header of a few bytes would otherwise ask for gigabytes. Whoever imports OpenCV first in a process sets this
# for all, so it is the limit that the emotion service refuses at.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "16000000")
# A webcam that hangs is given up after so many seconds; the default is ten.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")

import cv2

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
cv2.setNumThreads(1)

__all__ = ["cv2"]
