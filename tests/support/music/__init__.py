"""Music files of every format, made here."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

RATE = 48_000
FORMATS = {
    "mp3": "libmp3lame",
    "flac": "flac",
    "ogg": "libopus",
    "opus": "libopus",
    "m4a": "aac",
    "aac": "aac",
    "wma": "wmav2",
    "wav": "pcm_s16le",
    "aiff": "pcm_s16be",
    "wv": "wavpack",
    "tta": "tta",
    "webm": "libopus",
}
"""By ending, FFmpeg's encoder."""


def sine(length_s: float) -> npt.NDArray[np.float32]:
    return (0.2 * np.sin(np.arange(int(length_s * RATE)) / 20)).astype(np.float32)


def sound_file(
    path: Path, codec: str, samples: npt.NDArray[np.float32] | None = None, layout: str = "mono", **tags: str
) -> Path:
    """Samples at ``RATE``, of all channels alike; half a second of a tone where none are given."""
    samples = sine(0.5) if samples is None else samples
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=RATE, layout=layout, options={"b": "64000"})
        file.metadata.update(tags)
        channels = np.repeat(samples[None], stream.layout.nb_channels, axis=0)
        frame = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
        frame.sample_rate = RATE
        for part in av.AudioResampler(format=stream.format, layout=layout, rate=RATE).resample(frame):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path
