"""The sound of a music file, whatever its format, read with PyAV (FFmpeg's libraries)."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.tables.text import LONE_BYTES

Sound = npt.NDArray[np.float32]


class ExtraMissing(MoodstreamError):
    """What hears music is not installed: no fault of any file."""


RATE = 22_050
EXCERPT_S = 90.0
"""From the middle of a song; the whole of it would take longer and say little more."""

MIN_S = 3.0
SILENCE = 1e-4
CEILING = 8.0
"""Full scale is 1; floating-point files may be louder, and a damaged one holds anything."""

FORMATS = "aac,aiff,ape,asf,caf,flac,matroska,mov,mp3,mpc,mpc8,ogg,tta,w64,wav,wv"
"""By FFmpeg's names. Playlists are none of them: they would open other files and addresses."""

COUNTED = ("mp3", "aac")
"""Formats that do not say how long they are: the packets are counted, which is right for variable bit rates, too."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Mono sound from the middle of a file."""

    sound: Sound
    """[n] at ``RATE``, full scale 1, at least ``MIN_S`` long"""
    length_s: float
    """of the whole file"""
    written: Mapping[str, str]
    """what the container says of itself: title, artist, genre, date and the like"""


def read_excerpt(path: Path) -> Excerpt:
    """The middle of a file. Raises MoodstreamError when it holds no sound that can be decoded, or silence."""
    av = require_decoder()
    try:
        if path.stat().st_size == 0:
            raise ValueError("it is empty")
        # "file:" lest a name with a colon be taken for the address of a server.
        length_s, sound, written = _read(f"file:{path.absolute()}", av)
    except (av.FFmpegError, OSError, ValueError, MemoryError, OverflowError) as error:
        raise MoodstreamError(f"cannot decode it: {_reason(error)}") from None
    if len(sound) < MIN_S * RATE:
        raise MoodstreamError(f"it is shorter than {MIN_S:g} s")
    if not np.abs(sound).max() > SILENCE:
        raise MoodstreamError("it is silent")
    return Excerpt(sound, length_s, written)


def _read(address: str, av: Any) -> tuple[float, Sound, dict[str, str]]:
    with _opened(address, av) as (container, stream):
        written = {
            key.casefold(): text.translate(LONE_BYTES) for key, text in (container.metadata | stream.metadata).items()
        }
        length_s = 0.0 if container.duration is None else container.duration / av.time_base
        if container.format.name in COUNTED or length_s <= 0:
            length_s = _counted(container, stream)
            container.seek(0)
        wanted = min(EXCERPT_S, length_s)
        start_s = (length_s - wanted) / 2
        if start_s > 0:
            container.seek(int(start_s * av.time_base))
        sound = _decoded(container, stream, av)
    if len(sound) >= wanted * RATE * 0.9:
        return length_s, sound, written
    # Cut off: it is shorter than it says.
    with _opened(address, av) as (container, stream):
        length_s = _counted(container, stream)
    with _opened(address, av) as (container, stream):
        return length_s, _decoded(container, stream, av), written


@contextmanager
def _opened(address: str, av: Any) -> Iterator[tuple[Any, Any]]:
    """The file and the sound in it."""
    with closing(
        av.open(address, options={"format_whitelist": FORMATS}, metadata_errors="surrogateescape")
    ) as container:
        if not container.streams.audio:
            raise ValueError("there is no sound in it")
        yield container, container.streams.audio[0]


def _counted(container: Any, stream: Any) -> float:
    """Seconds, by the packets, without decoding them."""
    ticks = sum(packet.duration or 0 for packet in _packets(container, stream))
    return float(ticks * stream.time_base) if stream.time_base else 0.0


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Up to the end, or to where the file is damaged beyond reading on."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, OSError, ValueError):  # FFmpeg's errors are of these kinds
            return
        yield packet


def _decoded(container: Any, stream: Any, av: Any) -> Sound:
    """Mono, at most ``EXCERPT_S`` long; what a packet holds that cannot be decoded is left out."""
    resampler = None
    parts: list[Sound] = []
    left = int(EXCERPT_S * RATE)
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            if resampler is None:
                resampler = av.AudioResampler(format="fltp", layout=frame.layout, rate=RATE)
            for part in resampler.resample(frame):
                parts.append(_mono(part))
                left -= part.samples
        if left <= 0:
            break
    if resampler is not None:
        parts += [_mono(part) for part in resampler.resample(None)]
    return np.concatenate(parts)[: int(EXCERPT_S * RATE)] if parts else np.zeros(0, np.float32)


def _mono(frame: Any) -> Sound:
    """The mean of the channels, so that a mono and a stereo file of the same song are equally loud."""
    channels = np.nan_to_num(frame.to_ndarray(), nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(channels.clip(-CEILING, CEILING).mean(axis=0), dtype=np.float32)


def _reason(error: Exception) -> str:
    """A few words, never with a path."""
    text = getattr(error, "strerror", None) or (str(error) if type(error) is ValueError else "")
    return str(text) or type(error).__name__


def require_decoder() -> Any:
    """PyAV, an extra of its own. Raises ExtraMissing."""
    try:
        import av
    except ImportError:
        raise ExtraMissing("scanning music needs an extra: pip install 'moodstream[scan]'") from None
    av.logging.set_level(av.logging.PANIC)  # it would complain on standard error of files that it reads well
    return av
