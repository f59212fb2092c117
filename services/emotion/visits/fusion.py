"""Face, voice and words together: a logarithmic pool of their calibrated probabilities. Pure.

Each source counts by how reliable it is and by how long ago it was heard; a face that is seen now counts whole.
Source of the rule: Genest & Zidek, "Combining Probability Distributions", Statistical Science 1 (1986).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal

from moodstream.contracts.events import Probabilities, Source
from moodstream.contracts.moods import MOODS

Heard = Literal["voice", "words"]

RELIABILITY: Mapping[str, float] = {"face": 1.0, "voice": 0.8, "words": 0.8}
"""Exponent of what a source says at the moment when it says it. Those of words and voice were fitted beside faces
(``python -m training.fusion``: 0.77 and 1.21); that of a voice is held lower, as actors say more plainly what they feel
than visitors do."""
HALVED_S: Mapping[Heard, float] = {"voice": 8.0, "words": 20.0}
"""The exponent of what was heard halves in this time."""
LEAST: Mapping[str, float] = {"face": 1e-3, "voice": 0.05, "words": 0.01}
"""Lower bounds of the probabilities of one source: how far it can move the others."""
FORGOTTEN_BELOW = 0.1
"""An exponent as small as this is none."""


@dataclass(frozen=True)
class _Utterance:
    shares: tuple[float, ...]
    at_s: float


@dataclass(frozen=True)
class Pool:
    """What all sources say together."""

    shares: tuple[float, ...]
    """in the order of ``MOODS``"""
    sources: tuple[Source, ...]


class Fusion:
    """The last voice and the last words of a visit. Times are seconds of a clock that never runs backwards."""

    def __init__(self) -> None:
        self._heard: dict[Heard, _Utterance] = {}

    def hear(self, kind: Heard, shares: Sequence[float], at_s: float) -> None:
        """Note what one source says; it replaces what the same source has said before."""
        self._heard[kind] = _Utterance(tuple(shares), at_s)

    def forget(self) -> None:
        self._heard.clear()

    def pool(self, face: Sequence[float] | None, now_s: float) -> Pool | None:
        """The face, if one is read, with what was heard; None where nothing heard counts any more."""
        weights = {kind: self._weight(kind, said, now_s) for kind, said in self._heard.items()}
        self._heard = {kind: said for kind, said in self._heard.items() if weights[kind] >= FORGOTTEN_BELOW}
        if not self._heard:
            return None
        said = [] if face is None else [_source("face", face, RELIABILITY["face"], 0.0)]
        said += [_source(kind, one.shares, weights[kind], now_s - one.at_s) for kind, one in self._heard.items()]
        return Pool(pooled(said), tuple(said))

    @staticmethod
    def _weight(kind: Heard, said: _Utterance, now_s: float) -> float:
        return RELIABILITY[kind] * exp(-log(2) * max(0.0, now_s - said.at_s) / HALVED_S[kind])


def pooled(sources: Sequence[Source]) -> tuple[float, ...]:
    """Probabilities in the order of ``MOODS``: each source's to the power of its weight, multiplied; they sum to 1.

    Weights say how sources count beside each other. The heaviest counts whole, so one that is alone is believed as it
    stands: its probabilities are calibrated.
    """
    logs, heaviest = [0.0] * len(MOODS), max(source.weight for source in sources)
    for source in sources:
        for place, share in enumerate(source.probabilities.in_order()):
            logs[place] += source.weight / heaviest * log(max(share, LEAST[source.kind]))
    likely = [exp(value - max(logs)) for value in logs]
    return tuple(value / sum(likely) for value in likely)


def _source(kind: Literal["face", "voice", "words"], shares: Sequence[float], weight: float, age_s: float) -> Source:
    named = {str(mood): min(1.0, share) for mood, share in zip(MOODS, shares, strict=True)}
    return Source(kind=kind, probabilities=Probabilities(**named), weight=round(weight, 4), age_s=round(age_s, 1))
