"""Videos as cameras and people have them: interlaced, without times, joined. Made here, of the drawn face."""

from collections.abc import Sequence
from pathlib import Path

import av
from av.video.stream import VideoStream

from services.camera.drawn import pattern

SIZE = (720, 576)
"""width, height: television's"""
RATE = 25
FIELDS = {"flags": "+ilme+ildct"}

INTERLACED: dict[str, tuple[str, dict[str, str], str | None]] = {
    "dv.avi": ("dvvideo", {}, None),
    "camcorder.mts": ("libx264", {"x264-params": "interlaced=1", **FIELDS}, "mpegts"),
    "disc.mpg": ("mpeg2video", FIELDS, None),
    "recorder.mkv": ("mpeg4", FIELDS, None),
}
"""Name of the file: codec, its options, container."""


def write_video(
    path: Path, codec: str, options: dict[str, str], container: str | None = None, seconds: float = 2.0
) -> Path:
    """The drawn face, happy, from its first second on."""
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=RATE, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(pattern.draw(1 + number / RATE, SIZE), format="bgr24")
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode())
    return path


def interlaced(folder: Path, name: str) -> Path:
    """A video of two fields a frame; raises AssertionError where the encoder did not make one."""
    codec, options, container = INTERLACED[name]
    path = write_video(folder / name, codec, options, container)
    with av.open(str(path)) as made:
        assert next(made.decode(video=0)).interlaced_frame
    return path


def without_times(folder: Path, seconds: float = 3.0) -> Path:
    """A raw stream, as a Raspberry Pi's camera program writes it."""
    return write_video(folder / "raw.h264", "libx264", {}, "h264", seconds)


def joined(folder: Path, parts: Sequence[float]) -> Path:
    """Recordings one after another in a file, each with times of its own."""
    path = folder / "joined.mts"
    pieces = [write_video(folder / "part.mts", "libx264", {}, "mpegts", seconds).read_bytes() for seconds in parts]
    path.write_bytes(b"".join(pieces))
    return path
