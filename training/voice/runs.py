"""All networks that the card needs, each fitted once and kept in the cache, so that a run that was stopped goes on."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.voice.normalise import FRAMES, INPUTS, NUMBERS_IN, Usual
from training.backends import keras, layers
from training.voice.corpora import FREE, Ints, Voices, load, speaker_folds
from training.voice.kernel import Kernel, fit_kernel, of_kernel
from training.voice.lesson import Lesson, Pupil, Say, logits, teach_frames, teach_numbers, usual
from training.voice.network import WithoutSpeaker, of_frames, of_numbers
from training.voice.rows import chances, in_half, speaker_directions, taught_rows

FOLDS = 5
FREE_FOLDS = 4
SEEDS = 3
"""networks of summaries, which differ by the seed alone"""
OF_FRAMES, OF_KERNEL = 0.25, 0.4
"""What the network of frames and the kernel have to say; the rest is that of the networks of summaries."""


@dataclass(frozen=True, eq=False)
class Task:
    """Networks to fit: on which pieces, and which others it is asked about."""

    name: str
    fitted_on: Ints
    asked: Ints


def tasks(voices: Voices, seed: int) -> Mapping[str, Task]:
    """By name. ``speakers-N``: a fold of the speakers of all corpora is kept aside; ``corpora-NAME``: a corpus is;
    ``all``: nothing is; ``free-...``: the same of the corpora that are free, and all others."""
    fold, corpus = speaker_folds(voices, FOLDS, seed), voices.corpus
    free = np.isin(corpus, FREE)
    free_fold = speaker_folds(voices, FREE_FOLDS, seed)
    split: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {
        **{f"speakers-{one}": (fold != one, fold == one) for one in range(FOLDS)},
        **{f"corpora-{one}": (corpus != one, corpus == one) for one in np.unique(corpus).tolist()},
        "all": (corpus != "", corpus == ""),
        **{f"free-{one}": (free & (free_fold != one), free & (free_fold == one)) for one in range(FREE_FOLDS)},
        "free-all": (free, ~free),
    }
    return {name: Task(name, *map(np.flatnonzero, both)) for name, both in split.items()}


def lesson_of(name: str, lesson: Lesson) -> Lesson:
    """A corpus of 282 files is read through more often, and a smaller network learns less of it by heart."""
    if not name.startswith("free"):
        return lesson
    return Lesson(**{**vars(lesson), "epochs": 8 * lesson.epochs, "width": lesson.width // 2})


@dataclass(frozen=True, eq=False)
class Answers:
    """What networks and a kernel that had not met them answered to pieces."""

    without: NDArray[np.float32]
    """logits [pieces, ANSWERS] without statistics of the speaker's other speech; NaN where nobody was asked"""
    own: NDArray[np.float32]
    """with them"""


def fit(voices: Voices, task: Task, lesson: Lesson, seed: int, cache: Path, say: Say) -> None:
    """Fit all readers of a task, and write them with what they answer together; what is written already stays."""
    own_lesson = lesson_of(task.name, lesson)

    def tell(text: str) -> None:
        say(f"{task.name}: {text}")

    frames = cache / f"{task.name}.frames.weights.h5"
    if not frames.is_file():
        half = cache / f"{task.name}.frames.half.weights.h5"
        teach_frames(voices, task.fitted_on, own_lesson, seed, tell).save_weights(half)
        half.replace(frames)
    if not (cache / f"{task.name}.npz").is_file():
        known, moods = usual(voices, task.fitted_on), voices.mood[task.fitted_on]
        rows = taught_rows(voices, task.fitted_on, known)
        directions = speaker_directions(voices, task.fitted_on, rows)
        rest = np.asarray(WithoutSpeaker(directions)(rows))
        chance = chances(voices, task.fitted_on, lesson.evenness)
        for at in range(SEEDS):
            network = teach_numbers(rest, moods, chance, own_lesson, seed + 1000 * at, tell)
            network.save_weights(cache / f"{task.name}.numbers{at}.weights.h5")
        kernel = fit_kernel(in_half(rows), moods, chance, seed)
        _save(
            cache / f"{task.name}.npz",
            directions=directions,
            **{f"usual_{key}": value for key, value in vars(known).items()},
            **{f"kernel_{key}": value for key, value in vars(kernel).items()},
        )
    if len(task.asked) and not (cache / f"{task.name}.answers.npz").is_file():
        pupil = pupil_of(task.name, lesson, cache)
        without, own = (logits(pupil, voices, task.asked, known) for known in (False, True))
        _save(cache / f"{task.name}.answers.npz", without=without, own=own)
        tell("answered")


@dataclass(frozen=True)
class Where:
    """What all fits have in common."""

    data: Path
    cache: Path
    seed: int


def fit_some(where: Where, names: list[str]) -> None:
    """Fit these networks, on one core. Here and not in ``__main__``, which a process of a pool cannot import."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    voices = load(where.data, where.cache, where.seed)
    every = tasks(voices, where.seed)
    for name in names:
        fit(voices, every[name], Lesson(), where.seed, where.cache, say)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def pupil_of(name: str, lesson: Lesson, cache: Path) -> Pupil:
    """What ``fit`` wrote: all readers as one network, which says the weighted mean of their logits."""
    stored = np.load(cache / f"{name}.npz")
    own_lesson = lesson_of(name, lesson)
    speech, numbers = layers.Input((FRAMES, INPUTS), name="speech"), layers.Input((NUMBERS_IN,), name="numbers")
    hearing, dense = of_frames(own_lesson.width), [of_numbers() for _ in range(SEEDS)]
    hearing.load_weights(cache / f"{name}.frames.weights.h5")
    for at, network in enumerate(dense):
        network.load_weights(cache / f"{name}.numbers{at}.weights.h5")
    kernel = of_kernel(Kernel(**{key: stored[f"kernel_{key}"] for key in Kernel.__dataclass_fields__}))
    rest = WithoutSpeaker(stored["directions"])(numbers)
    said = OF_FRAMES * hearing(speech) + OF_KERNEL * kernel(numbers)
    said += (1 - OF_FRAMES - OF_KERNEL) * sum(network(rest) for network in dense) / SEEDS
    known = Usual(**{key: stored[f"usual_{key}"] for key in Usual.__dataclass_fields__})
    return Pupil(keras.Model([speech, numbers], said), known)


def answers(voices: Voices, every: Mapping[str, Task], wanted: Callable[[str], bool], cache: Path) -> Answers:
    """The answers of the networks whose names are wanted, put together."""
    both = [np.full((voices.pieces, 5), np.nan, np.float32) for _ in range(2)]
    for name, task in every.items():
        if wanted(name):
            stored = np.load(cache / f"{name}.answers.npz")
            both[0][task.asked], both[1][task.asked] = stored["without"], stored["own"]
    return Answers(*both)


def _save(path: Path, **arrays: Any) -> None:
    """A whole file or none: what is there is not fitted again, also where this process was killed while it wrote."""
    half = path.with_suffix(".half.npz")
    np.savez(half, **arrays)
    half.replace(path)
