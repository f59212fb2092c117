"""Writes a video that browsers play, through PyAV (FFmpeg's libraries): H.264 in ``.mp4``, VP9 in ``.webm``."""

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from moodstream.errors import MoodstreamError
from services.emotion.offline.drawing import Picture

if TYPE_CHECKING:
    import av
    import av.container

TICKS_PER_S = 1000
"""Frames lie at their own times, so a film is as long as its video whatever its rate is."""


class Form(NamedTuple):
    """How one kind of file is written."""

    codec: str
    options: dict[str, str]
    container: dict[str, str]


FORMS = {
    ".mp4": Form("libx264", {"crf": "23", "preset": "veryfast"}, {"movflags": "faststart"}),
    ".webm": Form("libvpx-vp9", {"crf": "32", "b:v": "0", "deadline": "realtime", "cpu-used": "7"}, {}),
}
"""By the end of the name: what browsers play."""


def check_film(path: Path, source: Path) -> None:
    """Raises MoodstreamError, before any work, when a film of ``source`` cannot be written to ``path``."""
    if path.suffix.lower() not in FORMS:
        raise MoodstreamError(f"{path}: a video that browsers play ends in {' or '.join(FORMS)}")
    if not path.parent.is_dir():
        raise MoodstreamError(f"{path}: there is no folder {path.parent}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise MoodstreamError(f"{path}: no file can be written there")
    if path.exists() and source.exists() and path.samefile(source):
        raise MoodstreamError(f"{path}: the drawn video would replace the one that it is made of")
    try:
        import av  # noqa: F401
    except ImportError:
        raise MoodstreamError("writing a video needs the package av, which `make setup` installs") from None


class Film:
    """A video file that takes its place when it is complete, as far as it came. Made by ``writing_film``."""

    def __init__(self, draft: Path, suffix: str, rate: float) -> None:
        """``rate``: pictures a second at most, from which the codec works out what it asks of a player."""
        self._draft, self._form, self._format = draft, FORMS[suffix], suffix.removeprefix(".")
        self._rate = Fraction(rate).limit_denominator(1000)
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream | None = None
        self._size = 0, 0

    def add(self, picture: Picture, time_s: float) -> None:
        """Add a picture uint8[H, W, 3] that is shown from this time on; times only grow. Raises MoodstreamError."""
        import av

        if self._container is None:
            self._open(picture)
        assert self._container is not None
        assert self._stream is not None
        width, height = self._size
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(_fitting(picture, width, height)), "bgr24")
        frame.pts, frame.time_base = round(time_s * TICKS_PER_S), Fraction(1, TICKS_PER_S)
        with _one_line():
            self._container.mux(self._stream.encode(frame))

    def close(self) -> bool:
        """Write what is left; returns whether there is a film. Raises MoodstreamError."""
        if self._container is None or self._stream is None:
            return False
        with _one_line():
            self._container.mux(self._stream.encode(None))
            self._container.close()
        return True

    def _open(self, picture: Picture) -> None:
        import av

        # both codecs keep colour for each square of four pixels
        self._size = picture.shape[1] + picture.shape[1] % 2, picture.shape[0] + picture.shape[0] % 2
        with _one_line():
            self._container = av.open(
                str(self._draft), "w", format=self._format, container_options=self._form.container
            )
            stream = self._container.add_stream(self._form.codec, rate=self._rate, options=self._form.options)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = self._size
            stream.pix_fmt = "yuv420p"
            stream.time_base = Fraction(1, TICKS_PER_S)
            self._stream = stream


@contextlib.contextmanager
def writing_film(path: Path, rate: float) -> Iterator[Film]:
    """A film of at most ``rate`` pictures a second. Without a picture there is none.

    It is complete as far as it came, also when the work is broken off.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    film = Film(draft, path.suffix.lower(), rate)
    try:
        try:
            yield film
        finally:
            if film.close():
                draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    """FFmpeg's errors, such as a full disk or a codec that this PyAV lacks, as one of ours."""
    import av

    try:
        yield
    except (av.FFmpegError, av.codec.codec.UnknownCodecError, OSError, ValueError) as error:
        raise MoodstreamError(f"the video cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _fitting(picture: Picture, width: int, height: int) -> Picture:
    """The picture with its last row and column repeated, or cut, to this size."""
    rows, columns = max(0, height - picture.shape[0]), max(0, width - picture.shape[1])
    if rows or columns:
        picture = np.pad(picture, ((0, rows), (0, columns), (0, 0)), "edge")
    return picture[:height, :width]
