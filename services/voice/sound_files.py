"""The sound of a file, block by block, as the voice model wants it: 16 kHz, mono, float32. Read with PyAV (FFmpeg)."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np

from moodstream.errors import MoodstreamError
from services.voice.log_mel import RATE, Floats
from shared.contracts.sounds import is_sound

BLOCK = RATE
"""samples in a block: a second"""
FORMATS = "aac,aiff,caf,flac,matroska,mov,mp3,ogg,w64,wav,webm"
"""By FFmpeg's names. Playlists are none of them: they would open other files and addresses."""
BODY_FORMATS = "flac,ogg,wav"
MIN_RATE = 4_000
"""samples a second; with fewer, a few bytes would become hours"""


class SoundRefused(MoodstreamError):
    """The bytes are no sound that may be read; says why in a few words, with the kind of fault for the metrics."""

    def __init__(self, words: str, kind: Literal["no_sound", "damaged", "empty"]) -> None:
        super().__init__(words)
        self.kind = kind


def read_blocks(path: Path) -> Iterator[Floats]:
    """Mono sound float32[n] at ``RATE`` in -1..1, n at most ``BLOCK``; memory does not grow with the file.

    Channels are averaged; what is louder than full scale is clipped, what is no number is silence. A file that is cut
    off or damaged further on is read up to there.

    Raises MoodstreamError when there is no file, no sound in it, or none that can be decoded.
    """
    av = _decoder()
    if not path.exists():
        raise MoodstreamError("there is no such file")
    if not path.is_file():  # a pipe would keep us waiting for ever
        raise MoodstreamError("it is no file")
    found = False
    try:
        if path.stat().st_size == 0:
            raise ValueError("it is empty")
        # "file:" lest a name with a colon be taken for the address of a server
        for block in _in_blocks(_decoded(f"file:{path.absolute()}", av, FORMATS)):
            found = True
            yield block
    except (av.FFmpegError, OSError, ValueError, MemoryError, OverflowError) as error:
        raise MoodstreamError(f"cannot decode it: {_reason(error)}") from None
    if not found:
        raise MoodstreamError("there is no sound in it")


def read_whole(path: Path, max_s: float = 600.0) -> Floats:
    """All sound of a file, at most its first ``max_s`` seconds. Raises MoodstreamError as ``read_blocks`` does."""
    parts: list[Floats] = []
    left = int(max_s * RATE)
    for block in read_blocks(path):
        parts.append(block[:left])
        left -= len(parts[-1])
        if left <= 0:
            break
    return np.concatenate(parts)


def read_body(body: bytes, max_s: float) -> Floats:
    """The first ``max_s`` seconds of a file of WAV, FLAC or Ogg that came as bytes, like ``read_blocks``.

    Raises SoundRefused.
    """
    if not is_sound(body):
        raise SoundRefused("it is no WAV, FLAC or Ogg", "no_sound")
    av = _decoder()
    parts: list[Floats] = []
    left = int(max_s * RATE)
    try:
        for block in _in_blocks(_decoded(io.BytesIO(body), av, BODY_FORMATS)):
            parts.append(block[:left])
            left -= len(parts[-1])
            if left <= 0:
                break
    except (av.FFmpegError, OSError, ValueError, MemoryError, OverflowError) as error:
        raise SoundRefused(f"cannot decode it: {_reason(error)}", "damaged") from None
    if not parts:
        raise SoundRefused("there is no sound in it", "empty")
    return np.concatenate(parts)


def check_decoder() -> None:
    """Raises MoodstreamError where PyAV is not installed."""
    _decoder()


class Resampler:
    """Mono sound float32[n] of any rate, as it comes, to ``RATE``; louder than full scale is clipped."""

    def __init__(self, rate: int) -> None:
        self._av, self._rate = _decoder(), rate
        self._resampler = self._av.AudioResampler(format="fltp", layout="mono", rate=RATE)

    def resample(self, sound: Floats) -> Floats:
        """What there is so far at ``RATE``."""
        frame = self._av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.sample_rate = self._rate
        parts = [_mono(part) for part in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _decoded(file: str | io.BytesIO, av: Any, formats: str) -> Iterator[Floats]:
    with closing(av.open(file, options={"format_whitelist": formats}, metadata_errors="replace")) as container:
        if not container.streams.audio:
            raise ValueError("there is no sound in it")
        resampler = None
        for frame in _frames(container, container.streams.audio[0], av):
            if frame.sample_rate < MIN_RATE:
                raise ValueError(f"it has {frame.sample_rate} samples a second, fewer than {MIN_RATE}")
            # a stream may change its rate or channels on the way
            kind = (frame.sample_rate, frame.layout.name, frame.format.name)
            if resampler is None or kind != resampler[0]:
                resampler = (kind, av.AudioResampler(format="fltp", layout=frame.layout, rate=RATE))
            yield from (_mono(part) for part in resampler[1].resample(frame))
        if resampler is not None:
            yield from (_mono(part) for part in resampler[1].resample(None))


def _frames(container: Any, stream: Any, av: Any) -> Iterator[Any]:
    """Up to the end, or to where the file is damaged beyond reading on; packets that cannot be decoded are left out."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, OSError, ValueError):  # FFmpeg's errors are of these kinds
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _in_blocks(parts: Iterator[Floats]) -> Iterator[Floats]:
    kept: list[Floats] = []
    length = 0
    for part in parts:
        kept.append(part)
        length += len(part)
        if length >= BLOCK:
            sound = np.concatenate(kept)
            whole = len(sound) // BLOCK * BLOCK
            yield from sound[:whole].reshape(-1, BLOCK)
            kept, length = [sound[whole:]], len(sound) - whole
    if length:
        yield np.concatenate(kept)


def _mono(frame: Any) -> Floats:
    channels = np.nan_to_num(frame.to_ndarray(), nan=0.0, posinf=1.0, neginf=-1.0)
    return np.asarray(channels.clip(-1, 1).mean(axis=0), np.float32)


def _reason(error: Exception) -> str:
    """A few words, never with a path."""
    text = getattr(error, "strerror", None) or (str(error) if type(error) is ValueError else "")
    return str(text) or type(error).__name__


def _decoder() -> Any:
    try:
        import av
    except ImportError:
        raise MoodstreamError("reading sound needs PyAV: pip install 'moodstream[voice]'") from None
    av.logging.set_level(av.logging.PANIC)  # it would complain on standard error of files that it reads well
    return av
