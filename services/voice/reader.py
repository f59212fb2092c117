"""What a voice sounds like: sound -> speech -> features at three speeds -> model -> one reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moodstream.contracts.moods import MOODS, Mood, expectation
from services.voice.log_mel import Floats
from services.voice.model import VOICE_MODELS, VoiceModel
from services.voice.normalise import Own, OwnVoice, frames_in, numbers_in
from services.voice.speech import Speech, find_speech
from services.voice.speeds import SPEEDS, features_at_speeds
from services.voice.summary import summary

MIN_SNR_DB = 3.0
"""speech that stands out of the noise by less is read, but not relied on"""
MAX_AROUSAL = 0.999
"""the network may be so sure that float32 rounds to 1, whose logit is infinite"""


@dataclass(frozen=True)
class VoiceReading:
    """What some speech sounds like; without speech, nothing."""

    probabilities: Mapping[Mood, float] | None
    """of the four moods, calibrated; None without speech"""
    arousal: float | None
    """-1..1, 0 is neutral"""
    valence: float | None
    """-1..1, what the probabilities stand for: a voice hardly tells it"""
    speech_s: float
    """seconds of speech that were heard"""
    snr_db: float | None
    """level of the speech over that of the noise, 0 to 60"""
    sure: bool
    """whether a mood may be named: one is likely enough, and the speech stands out of the noise"""
    model: str
    """name and version"""

    @property
    def mood(self) -> Mood | None:
        """The likeliest mood, ``unsure``, or None without speech."""
        if self.probabilities is None:
            return None
        return max(self.probabilities, key=self.probabilities.__getitem__) if self.sure else Mood.UNSURE


class VoiceReader:
    """Reads voices with one model. The same sound always gives the same reading.

    Raises MoodstreamError when the file of the model cannot be used.
    """

    def __init__(self, path: Path = VOICE_MODELS["research"]) -> None:
        self._model = VoiceModel(path)

    def read(self, sound: Floats, own: Own | None = None) -> VoiceReading:
        """One reading of all speech in mono sound float32[n] at 16 kHz, full scale 1.

        ``own`` are statistics of what the same visitor said last (``OwnVoice``).
        """
        return self.read_blocks([sound], own)

    def read_blocks(self, blocks: Iterable[Floats], own: Own | None = None) -> VoiceReading:
        """The same of sound that comes in blocks; memory does not grow with it."""
        votes = _Votes()
        for speech in find_speech(blocks):
            votes.add(speech, *self._answer(*_heard(speech), own))
        return votes.reading(self._model.unsure_below, self._model.name)

    def read_pieces(self, pieces: Iterable[Speech], voice: OwnVoice) -> VoiceReading:
        """One reading of some pieces of speech, against what the same visitor said before; ``voice`` takes them in."""
        own, votes = voice.statistics(), _Votes()
        for speech in pieces:
            features, numbers = _heard(speech)
            votes.add(speech, *self._answer(features, numbers, own))
            voice.add(Own.of(features, numbers))
        return votes.reading(self._model.unsure_below, self._model.name)

    def _answer(self, features: Sequence[Floats], numbers: Sequence[Floats], own: Own | None) -> tuple[Floats, float]:
        """What is said of one piece of speech, from what was heard at each speed: the mean of the logits."""
        usual, known = self._model.usual, own.at_speeds if own else (None,) * len(SPEEDS)
        speech = [frames_in(one, usual, statistics) for one, statistics in zip(features, known, strict=True)]
        summaries = [numbers_in(one, usual, statistics) for one, statistics in zip(numbers, known, strict=True)]
        probabilities, arousal = self._model.answers(np.stack(speech), np.stack(summaries))
        shares = np.exp(np.log(probabilities + 1e-9).mean(axis=0))
        return shares / shares.sum(), float(np.tanh(np.arctanh(arousal.clip(-MAX_AROUSAL, MAX_AROUSAL)).mean()))


def listen(blocks: Iterable[Floats]) -> Own | None:
    """Statistics of all speech in sound that comes in blocks; None without speech. Needs no model."""
    found: Own | None = None
    for speech in find_speech(blocks):
        piece = Own.of(*_heard(speech))
        found = piece if found is None else found + piece
    return found


def _heard(speech: Speech) -> tuple[Sequence[Floats], Sequence[Floats]]:
    """Features and summaries of a piece of speech, at each speed."""
    features = features_at_speeds(speech.sound)
    return features, [summary(one) for one in features]


class _Votes:
    """Pieces of speech count by their length: the mean of the logarithms, so that one doubtful piece decides little."""

    def __init__(self) -> None:
        self._speech_s = 0.0
        self._logs = np.zeros(len(MOODS))
        self._arousal = 0.0
        self._snr_db = 0.0

    def add(self, speech: Speech, probabilities: Floats, arousal: float) -> None:
        self._speech_s += speech.speech_s
        self._logs += speech.speech_s * np.log(probabilities.astype(float) + 1e-6)
        self._arousal += speech.speech_s * arousal
        self._snr_db += speech.speech_s * speech.snr_db

    def reading(self, unsure_below: float, model: str) -> VoiceReading:
        if not self._speech_s:
            return VoiceReading(None, None, None, 0.0, None, sure=False, model=model)
        shares = np.exp(self._logs / self._speech_s)
        shares /= shares.sum()
        snr_db = self._snr_db / self._speech_s
        return VoiceReading(
            dict(zip(MOODS, shares.tolist(), strict=True)),
            self._arousal / self._speech_s,
            expectation(shares.tolist())[0],
            round(self._speech_s, 3),
            round(snr_db, 1),
            sure=bool(shares.max() >= unsure_below and snr_db >= MIN_SNR_DB),
            model=model,
        )
