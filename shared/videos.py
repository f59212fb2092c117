"""Frames of video files and of streams, with the time at which each is due.

Through PyAV (FFmpeg's libraries) where it is installed, as in ``moodstream[run]``, else through OpenCV. OpenCV says
since 4.13 that it has read the frames of interlaced videos, and gives what lay in memory before; PyAV reads them. The
images of the services have OpenCV alone, which is there for everything else (docs/decisions.md).
"""

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

MAX_SQUEEZE = 3
USUAL_RATE = 25.0
MAX_GAP_S = 600.0
"""What says more between two frames is no time: a counter that began anew, or was never set."""

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif")
HEIF_HEAD = 65_536
"""Bytes in which the items of a photograph are listed."""

FORMATS = (
    "asf,avi,dv,flv,gif,h264,hevc,ivf,m4v,matroska,webm,mjpeg,mov,mp4,m4a,3gp,3g2,mj2,mpeg,mpegts,mpegvideo,mxf,ogg,rm,"
    "vc1,wtv,yuv4mpegpipe,bmp_pipe,jpeg_pipe,png_pipe,tiff_pipe,webp_pipe"
)
"""By FFmpeg's names. Playlists are none of them: they would open other files and addresses. Nor is text, which FFmpeg
draws."""


class NotAVideo(Exception):
    """It cannot be opened, or nothing in it can be decoded; the text is a few words, without the address."""


class OfTiles(NotAVideo):
    """A photograph that is put together of tiles, as telephones store it (HEIC, AVIF): decoders would give one tile."""

    def __init__(self) -> None:
        super().__init__("it is a photograph put together of tiles (HEIC), which is not read: save it as a JPEG")


class FrameTimes:
    """Seconds since the first frame: as the file tells them, or evenly spaced where it tells none.

    Raw streams of cameras have no times at all, and where recordings were joined they begin anew. ``rate`` is what the
    file claims: frames a second, or anything that is no rate.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate if 0 < rate < 1_000 else USUAL_RATE
        self._last_s: float | None = None
        self._told_s = 0.0

    def after(self, told_s: float) -> float:
        """The time of the next frame, of which the file says ``told_s``; later than that of the frame before."""
        gap_s = told_s - self._told_s
        self._told_s = told_s
        if self._last_s is None:
            self._last_s = 0.0
        else:
            self._last_s += gap_s if 0 < gap_s < MAX_GAP_S else 1 / self.rate
        return self._last_s


class Video(Protocol):
    """One frame after the other; a frame is decoded to a picture only when it is asked for."""

    rate: float
    """frames a second, as the file claims"""

    def next_s(self) -> float | None:
        """Go on to the next frame; its time, or None after the last one."""
        ...

    def picture(self) -> Picture | None:
        """The frame as uint8 [height, width, 3], BGR; None when it is broken."""
        ...

    def close(self) -> None: ...


def open_video(path: Path) -> Video:
    """A file. Raises NotAVideo."""
    if _is_of_tiles(path):
        raise OfTiles
    if find_spec("av") is None:
        return OpenCvVideo(path)
    # "file:" lest a name with a colon be taken for the address of a server
    return AvVideo(f"file:{path.absolute()}", {"format_whitelist": FORMATS, "protocol_whitelist": "file"})


def _is_of_tiles(path: Path) -> bool:
    """Whether a photograph of the HEIF family names an item of the type ``grid`` (ISO/IEC 23008-12, 6.6.2.3)."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(HEIF_HEAD)
        return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS and b"grid" in head
    return False


def upright_width(width: int, shape: Fraction | None) -> int:
    """How wide a picture is whose pixels are ``shape`` times as wide as high: DVDs and many cameras squeeze theirs.

    Faces would be squeezed with it. A shape that no camera has counts as square.
    """
    if not shape or not 1 / MAX_SQUEEZE <= shape <= MAX_SQUEEZE:
        return width
    return max(1, round(width * shape))


class AvVideo:
    """Through PyAV. ``options`` are FFmpeg's; ``timeout_s`` is for opening and for each read of a stream."""

    def __init__(
        self,
        address: str,
        options: Mapping[str, str],
        timeout_s: tuple[float, float] | None = None,
        *,
        live: bool = False,
    ) -> None:
        """``live``: no frame waits for others to be decoded with it. Raises NotAVideo."""
        import av
        import av.logging
        from av.video.reformatter import VideoReformatter

        av.logging.set_level(av.logging.PANIC)
        self._faults = av.FFmpegError
        try:
            self._container = av.open(address, options=dict(options), timeout=timeout_s)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise NotAVideo(_reason(error)) from None
        if not self._container.streams.video:
            self._container.close()
            raise NotAVideo("there is no picture in it")
        stream = self._container.streams.video[0]
        stream.thread_type = "SLICE" if live else "AUTO"
        self.rate = float(stream.guessed_rate or stream.average_rate or 0)
        self._times = FrameTimes(self.rate)
        self._shape = stream.sample_aspect_ratio
        self._frames = self._decode(stream)
        self._frame: Any = None
        self._reformatter = VideoReformatter()  # keeps what it has prepared for pictures of one size

    def _decode(self, stream: Any) -> Iterator[Any]:
        for packet in self._container.demux(stream):
            try:
                yield from packet.decode()
            except self._faults:
                continue  # a broken packet; what refers to it looks odd, and the next whole picture does not

    def next_s(self) -> float | None:
        """As ``Video.next_s``. A stream that ends or is silent ends here, too."""
        try:
            self._frame = next(self._frames, None)
        except (self._faults, OSError):
            self._frame = None
        return None if self._frame is None else self._times.after(self._frame.time or 0.0)

    def picture(self) -> Picture | None:
        width = upright_width(self._frame.width, self._shape)
        try:
            picture = self._reformatter.reformat(self._frame, width=width, format="bgr24").to_ndarray()
        except (self._faults, ValueError, MemoryError):
            return None
        turns = round(self._frame.rotation / 90) % 4  # as the phone was held
        return np.ascontiguousarray(np.rot90(picture, turns)) if turns else np.asarray(picture, np.uint8)

    def close(self) -> None:
        self._container.close()


class OpenCvVideo:
    """Through OpenCV, whose pictures of interlaced videos are none."""

    def __init__(self, path: Path) -> None:
        import cv2

        self._cv2, self._video = cv2, cv2.VideoCapture(str(path))
        if not self._video.isOpened():
            self._video.release()
            raise NotAVideo("its format is not known")
        self.rate = float(self._video.get(cv2.CAP_PROP_FPS))
        self._times = FrameTimes(self.rate)

    def next_s(self) -> float | None:
        if not self._video.grab():
            return None
        return self._times.after(self._video.get(self._cv2.CAP_PROP_POS_MSEC) / 1000)

    def picture(self) -> Picture | None:
        whole, picture = self._video.retrieve()
        return np.asarray(picture, np.uint8) if whole else None

    def close(self) -> None:
        self._video.release()


def _reason(error: Exception) -> str:
    """What FFmpeg says of it, which has no address in it."""
    text = str(getattr(error, "strerror", None) or "its format is not known")
    return text[:1].lower() + text[1:]
