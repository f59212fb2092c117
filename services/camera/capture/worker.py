"""The capture process: one camera, one thread that may hang, and a parent that kills it then.

It reads its job from standard input and answers on standard output (``rules.job``). The address is neither in its
arguments nor in its environment, and whatever OpenCV and its libraries print is discarded.
"""

import json
import os
import sys
import threading
import time
from typing import IO

from moodstream.errors import MoodstreamError
from services.camera.capture.camera_source import CameraSource, OpenVideo, open_camera
from services.camera.capture.errors import SourceUnavailable
from services.camera.capture.file_source import FileSource, open_file
from services.camera.capture.http_source import MjpegCamera, SnapshotCamera
from services.camera.capture.opencv import cv2
from services.camera.capture.picture import Image, encode, measure_levels, prepare, sharpness
from services.camera.rules.address import is_live
from services.camera.rules.job import Job, message
from services.camera.rules.pacing import Gate, Pace
from shared.core_dumps import forbid_core_dumps

PULSE_S = 0.5
SHARPNESS_EVERY_S = 2.0
LATE_S = 1.0
CLOSE_S = 1.0
SLOWEST_CHECK_S = 0.2
MAX_READS_PER_S = 200.0


class Worker:
    """Captures until its input ends, the camera is unavailable, or the parent closes the orders."""

    def __init__(self, job: Job, orders: IO[bytes], out: IO[bytes], open_video: OpenVideo = cv2.VideoCapture) -> None:
        self._job, self._orders, self._out, self._open_video = job, orders, out, open_video
        self._rate = job.rate
        self._stopping = threading.Event()
        self._arrived = self._broken = 0
        self._pulse_s = self._sharpness_s = self._taken_s = float("-inf")
        self._sharpness = 0.0

    def run(self) -> None:
        threading.Thread(target=self._read_orders, daemon=True).start()
        self._send_message("started")
        try:
            if is_live(self._job.address):
                self._capture_camera()
            else:
                self._play_file()
        except SourceUnavailable as error:
            self._send_message("unavailable", code=error.code, reason=str(error))
        except MoodstreamError as error:
            self._send_message("invalid", reason=str(error))
        else:
            self._send_message("end")

    def _read_orders(self) -> None:
        """Orders are lines of JSON; their end means that the parent wants no more, or is gone."""
        for line in self._orders:
            self._rate = float(json.loads(line)["rate"])
        self._stopping.set()
        time.sleep(CLOSE_S)  # time to close the camera properly
        os._exit(0)

    def _capture_camera(self) -> None:
        camera = open_camera(self._job, self._open_video)
        try:
            opened, gate = False, Gate(self._rate)
            while not self._stopping.is_set():
                gate.rate = self._rate
                if isinstance(camera, MjpegCamera | SnapshotCamera):
                    camera.gap_s = 1 / self._rate
                image, at = self._next_picture(camera, gate)
                if image is not None:
                    if not opened:
                        self._send_opened(image, camera.rate)
                        opened = True
                    self._send_picture(image, at)
                self._send_pulse()
        finally:
            camera.close()

    def _next_picture(self, camera: CameraSource, gate: Gate) -> tuple[Image | None, float]:
        """The next picture if it is due, and when it arrived (seconds since 1970)."""
        # a source without a pace of its own, such as a film on a web server, must not use a whole core
        time.sleep(max(0.0, self._taken_s + 1 / MAX_READS_PER_S - time.monotonic()))
        whole = camera.wait_for_picture()
        at, self._taken_s = time.time(), time.monotonic()
        if not whole:
            self._broken += 1
            return None, at
        if not gate.is_due(time.monotonic()):
            self._arrived += 1
            return None, at
        image = camera.decode_picture()
        if image is None:
            self._broken += 1
        else:
            self._arrived += 1
        return image, at

    def _play_file(self) -> None:
        """Play a file or the drawn face, again and again unless the job says once."""
        opened = False
        while not self._stopping.is_set():
            source = open_file(self._job.address, once=self._job.once)
            try:
                opened = self._play_once(source, opened)
            finally:
                source.close()
            if self._job.once:
                return

    def _play_once(self, source: FileSource, opened: bool) -> bool:
        """Play a file to its end. Takes and returns whether its opening was reported."""
        start_s, pace, shown = time.monotonic(), Pace(self._rate), -1
        fast_s = 0.0
        while not self._stopping.is_set():
            pace.rate = self._rate
            if self._job.real_time:
                at_s = pace.next_s(time.monotonic() - start_s)
                self._sleep_until(start_s + at_s)
            else:
                at_s, fast_s = fast_s, fast_s + 1 / self._rate
            read = source.read_frame(at_s)
            at = time.time()
            if read is None:
                return opened
            number, image = read
            if number != shown or source.repeats:
                shown = number
                self._arrived += 1
                if not opened:
                    self._send_opened(image, 0.0)
                    opened = True
                self._send_picture(image, at)
            self._send_pulse()
            late_s = time.monotonic() - start_s - at_s
            if self._job.real_time and late_s > LATE_S:
                start_s += late_s  # a file that cannot keep up plays slower, rather than with growing gaps
        return opened

    def _sleep_until(self, at_s: float) -> None:
        """Sleep, sending pulses, so that a slow rate does not look like a stall."""
        while not self._stopping.is_set():
            left_s = at_s - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(left_s, SLOWEST_CHECK_S))
            if left_s > PULSE_S:
                self._arrived += 1
                self._send_pulse()

    def _send_picture(self, image: Image, at: float) -> None:
        levels = measure_levels(image)
        if time.monotonic() - self._sharpness_s > SHARPNESS_EVERY_S:
            self._sharpness_s, self._sharpness = time.monotonic(), sharpness(image)
        jpeg = encode(prepare(image, self._job), self._job.jpeg_quality)
        self._send_message(
            "picture", jpeg, at=at, light=levels.light, contrast=levels.contrast, sharpness=round(self._sharpness, 1)
        )

    def _send_opened(self, image: Image, rate: float) -> None:
        self._send_message("opened", width=image.shape[1], height=image.shape[0], rate=rate)

    def _send_pulse(self) -> None:
        if time.monotonic() - self._pulse_s >= PULSE_S:
            self._pulse_s = time.monotonic()
            self._send_message("pulse", arrived=self._arrived, broken=self._broken)

    def _send_message(self, kind: str, jpeg: bytes = b"", **fields: object) -> None:
        self._out.write(message(kind, jpeg, **fields))
        self._out.flush()


def main(open_video: OpenVideo = cv2.VideoCapture) -> int:
    """Serve the parent at the other end of the pipes."""
    forbid_core_dumps()
    out = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_WRONLY)
    errors = os.fdopen(os.dup(2), "w")
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        Worker(Job.from_line(sys.stdin.buffer.readline()), sys.stdin.buffer, out, open_video).run()
    except BrokenPipeError:
        return 0
    except Exception as error:
        # Print where it happened, but never its text, which may contain the address.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        line = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
        print(f"capture process: {type(error).__name__} at {line}", file=errors, flush=True)
        os._exit(1)
    os._exit(0)  # libraries that hang while they are unloaded must not keep us


if __name__ == "__main__":
    sys.exit(main())
