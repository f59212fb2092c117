"""Speech in four moods, with speakers and corpora named: read, trimmed, worn, and kept in a cache."""

import csv
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from services.voice.log_mel import FRAMES_A_S, RATE, Floats, frame_features
from services.voice.normalise import Statistics
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
WORN = range(1, 5)
"""copies of each piece that are worn; the first copy is as it is"""
AT_SPEEDS = (0, *range(WORN.stop, WORN.stop + len(SPEEDS) - 1))
"""copies of each piece at each of ``SPEEDS``, as the product hears it"""
COPIES = range(AT_SPEEDS[-1] + 1)

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


def load(data: Path, cache: Path, seed: int = 1, processes: int = 1) -> Voices:
    """The corpora of ``data``: voice.csv and the folder voice. What takes long is written to the folder ``cache``."""
    table = data / "voice.csv"
    if not table.is_file():
        raise DataError(f"no {table}")
    with table.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "sums.npy").is_file():
        _listen([data / "voice" / row["file"] for row in rows], cache, seed, processes)
    return Voices(
        [_saved(cache / f"copy{copy}.npz") for copy in COPIES],
        np.load(cache / "sums.npy"),
        np.array([[str(mood) for mood in MOODS].index(row["mood"]) for row in rows]),
        np.array([row["corpus"] for row in rows]),
        np.array([row["speaker"] for row in rows]),
    )


def _listen(files: Sequence[Path], cache: Path, seed: int, processes: int) -> None:
    """Write the features of each copy, and the statistics of all."""
    blocks = np.array_split(np.arange(len(files)), max(1, len(files) // 40))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        sounds = _joined(pool.map(_read, [[files[at] for at in block] for block in blocks]))
        ends = np.cumsum([len(sound) for sound in sounds])
        np.save(cache / "sounds.npy", np.concatenate(sounds))
        sums = []
        for copy in COPIES:
            features = _joined(pool.map(partial(_heard, cache, ends, copy, seed), blocks))
            _save(cache / f"copy{copy}.npz", features)
            sums.append(_joined(pool.map(_sums, [[features[at] for at in block] for block in blocks])))
    (cache / "sounds.npy").unlink()
    np.save(cache / "sums.npy", sums)


Part = TypeVar("Part")


def _joined(parts: Iterable[list[Part]]) -> list[Part]:
    return list(chain.from_iterable(parts))


def _read(files: Sequence[Path]) -> list[Floats]:
    return [trimmed(np.concatenate(list(read_blocks(file)))) for file in files]


def _heard(cache: Path, ends: Ints, copy: int, seed: int, block: Ints) -> list[NDArray[np.float16]]:
    """Features of a copy of some pieces, in half precision."""
    sounds = np.split(np.load(cache / "sounds.npy", mmap_mode="r"), ends[:-1])
    found = []
    for at in block:
        sound = np.asarray(sounds[at])
        if copy in WORN:
            sound = worn(sound, sounds, np.random.default_rng([seed, copy, at]))
        elif copy:
            sound = at_speed(sound, SPEEDS[AT_SPEEDS.index(copy)])
        found.append(frame_features(sound).astype(np.float16))
    return found


def _sums(pieces: Sequence[NDArray[np.float16]]) -> list[NDArray[np.float64]]:
    return [Statistics.of(one.astype(np.float32)).sums for one in pieces]


def trimmed(sound: Floats) -> Floats:
    """A sentence alone in its file, without the silence around it, and at most ``MAX_S`` of it."""
    chunks = range(0, max(1, len(sound) - CHUNK + 1), CHUNK)
    power = np.array([np.mean(np.square(sound[at : at + CHUNK])) for at in chunks])
    loud = np.flatnonzero(power > power.max() * QUIET)
    first, last = (loud[0], loud[-1]) if len(loud) else (0, len(power))
    return sound[max(0, first - 2) * CHUNK : (last + 3) * CHUNK][: int(MAX_S * RATE)]


def _save(path: Path, pieces: Sequence[NDArray[np.float16]]) -> None:
    np.savez(path, f=np.concatenate(pieces).astype(np.float16), length=[len(one) for one in pieces])


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
