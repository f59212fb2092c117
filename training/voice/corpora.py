"""Speech in four moods, with speakers and corpora named: read, trimmed, worn, and kept in a cache."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from services.voice.log_mel import RATE, Floats, frame_features
from services.voice.normalise import FRAMES_A_S, Statistics
from services.voice.sound_files import read_blocks
from services.voice.speech import CHUNK
from services.voice.speeds import SPEEDS, at_speed
from services.voice.summary import NUMBERS
from training.data import DataError
from training.voice.rooms import worn

FREE = ("emodb",)
"""Corpora without terms that forbid commercial use"""
MAX_S = 4.2
QUIET = 10**-3.2
"""power of a chunk, to that of the loudest, below which the beginning and the end of a file are cut off"""
WORN = range(1, 3)
"""copies of each piece that are worn; the first copy is as it is"""
AT_SPEEDS = (0, *range(WORN.stop, WORN.stop + len(SPEEDS) - 1))
"""copies of each piece at each of ``SPEEDS``, as the product hears it"""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Voices:
    """Pieces of speech, one of each file."""

    copies: Sequence[Sequence[Floats]]
    """by copy (``WORN``, ``AT_SPEEDS``) and piece: features [T, COLUMNS]"""
    sums: NDArray[np.float64]
    """[copies, pieces, SUMS]: their ``Statistics``"""
    mood: Ints
    """[pieces], places in ``MOODS``"""
    corpus: NDArray[np.str_]
    speaker: NDArray[np.str_]

    @property
    def pieces(self) -> int:
        return len(self.mood)

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """[pieces]"""
        return np.array([len(one) for one in self.copies[0]]) / FRAMES_A_S

    @cached_property
    def numbers(self) -> Floats:
        """[copies, pieces, NUMBERS]: their summaries"""
        return np.asarray(self.sums[:, :, -2 * NUMBERS : -NUMBERS], np.float32)


def load(data: Path, cache: Path, seed: int = 1) -> Voices:
    """The corpora of ``data``: voice.csv and the folder voice. What takes long is written to the folder ``cache``."""
    table = data / "voice.csv"
    if not table.is_file():
        raise DataError(f"no {table}")
    with table.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "sums.npy").is_file():
        _listen([data / "voice" / row["file"] for row in rows], cache, seed)
    copies = _copies(cache)
    return Voices(
        copies,
        np.load(cache / "sums.npy"),
        np.array([[str(mood) for mood in MOODS].index(row["mood"]) for row in rows]),
        np.array([row["corpus"] for row in rows]),
        np.array([row["speaker"] for row in rows]),
    )


def _listen(files: Sequence[Path], cache: Path, seed: int) -> None:
    sounds = [trimmed(np.concatenate(list(read_blocks(file)))) for file in files]
    _save(cache / "clean.npz", (frame_features(sound) for sound in sounds))
    for copy in WORN:
        draw = np.random.default_rng(seed + copy - 1)
        _save(cache / f"worn{copy}.npz", (frame_features(worn(sound, sounds, draw)) for sound in sounds))
    for factor in SPEEDS[1:]:
        _save(cache / f"speed{factor}.npz", (frame_features(at_speed(sound, factor)) for sound in sounds))
    np.save(cache / "sums.npy", [[Statistics.of(one).sums for one in copy] for copy in _copies(cache)])


def _copies(cache: Path) -> list[list[Floats]]:
    names = ["clean", *(f"worn{copy}" for copy in WORN), *(f"speed{factor}" for factor in SPEEDS[1:])]
    return [_saved(cache / f"{name}.npz") for name in names]


def trimmed(sound: Floats) -> Floats:
    """A sentence alone in its file, without the silence around it, and at most ``MAX_S`` of it."""
    chunks = range(0, max(1, len(sound) - CHUNK + 1), CHUNK)
    power = np.array([np.mean(np.square(sound[at : at + CHUNK])) for at in chunks])
    loud = np.flatnonzero(power > power.max() * QUIET)
    first, last = (loud[0], loud[-1]) if len(loud) else (0, len(power))
    return sound[max(0, first - 2) * CHUNK : (last + 3) * CHUNK][: int(MAX_S * RATE)]


def _save(path: Path, pieces: Iterable[Floats]) -> None:
    some = list(pieces)
    np.savez(path, f=np.concatenate(some).astype(np.float16), length=[len(one) for one in some])


def _saved(path: Path) -> list[Floats]:
    both = np.load(path)
    return np.split(both["f"].astype(np.float32), np.cumsum(both["length"])[:-1])


def speaker_folds(voices: Voices, folds: int, seed: int) -> Ints:
    """A fold for each piece; no speaker is in two, and the speakers of each corpus are spread over all."""
    draw = np.random.default_rng(seed)
    fold = np.zeros(len(voices.mood), int)
    for corpus in np.unique(voices.corpus):
        names, counts = np.unique(voices.speaker[voices.corpus == corpus], return_counts=True)
        order, taken = draw.permutation(folds), np.zeros(folds)
        for at in np.argsort(-counts, kind="stable"):
            into = order[np.argmin(taken[order])]
            fold[voices.speaker == names[at]] = into
            taken[into] += counts[at]
    return fold
