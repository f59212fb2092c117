"""OpenCV for this service: silent, with limits, on one core. Other modules import ``cv2`` from here."""

import os

# OpenCV and FFmpeg print to standard error; they read these once, when they are loaded or first used.
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# Otherwise a forged header of a few bytes could allocate gigabytes. Whoever imports OpenCV first in a process sets this
# for all, so it is the emotion service's limit too.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "16000000")
# Seconds after which a hanging webcam is given up; the default is ten.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")

import cv2

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
cv2.setNumThreads(1)

__all__ = ["cv2"]
