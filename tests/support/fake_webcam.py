"""A FAKE webcam. Where these tests run the kernel takes no modules, so there is no v4l2loopback: this stands for
``cv2.VideoCapture`` and nothing else; the capture process, its pipes and the watchdog over it are the real ones.

What it does comes from the file named by its environment (``FAKE_WEBCAM``): good, hang, gone, busy.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from services.camera.capture.opencv import cv2
from services.camera.capture.worker import main


class FakeVideoCapture:
    """As much of ``cv2.VideoCapture`` as the service uses."""

    def __init__(self, number: int) -> None:
        self._mode = Path(os.environ["FAKE_WEBCAM"])
        self._open = self._mode.read_text() not in ("busy", "gone")
        self._random = np.random.default_rng(number)
        self.asked: dict[int, float] = {}
        with Path(os.environ["FAKE_WEBCAM"] + ".log").open("a") as log:
            log.write(f"opened {self._open} by {os.getpid()}\n")

    def isOpened(self) -> bool:
        return self._open

    def get(self, what: int) -> float:
        return 30.0 if what == cv2.CAP_PROP_FPS else self.asked.get(what, 0.0)

    def set(self, what: int, value: float) -> bool:
        self.asked[what] = value
        return True

    def grab(self) -> bool:
        time.sleep(1 / 30)
        while self._mode.read_text() == "hang":  # as a driver does whose USB cable is bad
            time.sleep(0.1)
        return self._mode.read_text() != "gone"

    def retrieve(self) -> tuple[bool, Any]:
        return True, self._random.integers(0, 255, (240, 320, 3), dtype=np.uint8)

    def release(self) -> None:
        with Path(os.environ["FAKE_WEBCAM"] + ".log").open("a") as log:
            log.write(f"released by {os.getpid()}\n")


if __name__ == "__main__":
    sys.exit(main(FakeVideoCapture))
