"""Summaries of pieces as readers are taught with them, and what is taken out of them because it tells speakers apart
instead of moods."""

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from services.voice.log_mel import Floats
from services.voice.normalise import NUMBERS_IN, OWN_S, Statistics, Usual, numbers_in
from training.voice.corpora import AT_SPEEDS, WORN, Ints, Voices

TAUGHT = (0, *WORN[:2], *AT_SPEEDS[1:])
"""Copies of each piece that summaries are taught with; more that are worn bring nothing."""
DIRECTIONS = 20
"""of what differs between speakers who mean the same; 10 to 30 read alike"""
FEW = 3
"""recordings of a speaker in a mood that make a mean"""


def others_of(voices: Voices, piece: int, same: Ints, wanted_s: float, draw: np.random.Generator) -> Ints:
    """Pieces of the same speaker less this one, drawn until so many seconds are together."""
    some = draw.permutation(same[same != piece])
    return some[: int(np.searchsorted(np.cumsum(voices.seconds[some]), wanted_s)) + 1]


def taught_rows(voices: Voices, pieces: Ints, usual: Usual) -> Floats:
    """[2 * len(TAUGHT), pieces, NUMBERS_IN], the first half without statistics of the speaker's other speech, the
    second with them."""
    return np.stack([_rows(voices, pieces, usual, own, copy) for own in (False, True) for copy in TAUGHT])


def _rows(voices: Voices, pieces: Ints, usual: Usual, own: bool, copy: int) -> Floats:
    draw = np.random.default_rng([copy, int(own)])
    same = {name: np.flatnonzero(voices.speaker == name) for name in np.unique(voices.speaker[pieces])}
    met = {name: np.intersect1d(rows, pieces) for name, rows in same.items()}
    out = np.empty((len(pieces), NUMBERS_IN), np.float32)
    for at, piece in enumerate(pieces):
        some = others_of(voices, piece, met[voices.speaker[piece]], OWN_S, draw) if own else ()
        statistics = Statistics(voices.sums[copy, some].sum(axis=0)) if len(some) else None
        out[at] = numbers_in(voices.numbers[copy, piece], usual, statistics)
    return out


def in_half(rows: Floats) -> Floats:
    """Rounded to half precision, as the landmarks that are some of them lie in the file that ships."""
    return np.asarray(rows.astype(np.float16), np.float32)


def chances(voices: Voices, pieces: Ints, evenness: float) -> NDArray[np.float64]:
    """How often each of some pieces is drawn, in sum 1: the moods of a corpus alike, corpora as ``Lesson.evenness`` has
    it."""
    corpus, mood = voices.corpus[pieces], voices.mood[pieces]
    chance = np.zeros(len(pieces))
    for name in np.unique(corpus):
        for which in np.unique(mood[corpus == name]):
            rows = (corpus == name) & (mood == which)
            chance[rows] = (corpus == name).sum() ** (1 - evenness) / rows.sum()
    return np.asarray(chance / chance.sum())


def speaker_directions(voices: Voices, pieces: Ints, rows: Floats) -> Floats:
    """Orthonormal [DIRECTIONS, NUMBERS_IN]: in these, speakers who mean the same differ most (nuisance attribute
    projection: A. Solomonoff et al., "Advances in channel compensation for SVM speaker recognition", 2005).

    ``rows`` are those of ``taught_rows``; where there are fewer speakers than directions, fewer come back.
    """
    found = []
    clean, speaker, corpus, mood = rows[0], voices.speaker[pieces], voices.corpus[pieces], voices.mood[pieces]
    for name in np.unique(corpus):
        for which in range(len(MOODS)):
            meant = (corpus == name) & (mood == which)
            for who in np.unique(speaker[meant]):
                theirs = meant & (speaker == who)
                if theirs.sum() >= FEW:
                    apart = clean[theirs].mean(axis=0) - clean[meant].mean(axis=0)
                    found.append(apart * np.sqrt(theirs.sum()))
    if not found:
        return np.zeros((0, NUMBERS_IN), np.float32)
    axes, sizes = np.linalg.svd(np.stack(found), full_matrices=False)[2], np.linalg.matrix_rank(np.stack(found))
    return np.asarray(axes[: min(DIRECTIONS, int(sizes))], np.float32)
