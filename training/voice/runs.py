"""All networks that the card needs, each fitted once and kept in the cache, so that a run that was stopped goes on."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.voice.normalise import Usual
from training.voice.corpora import FREE, Ints, Voices, load, speaker_folds
from training.voice.kernel import Kernel, fit_kernel, with_kernel
from training.voice.lesson import Lesson, Pupil, Say, logits, teach, usual
from training.voice.network import build

FOLDS = 5
FREE_FOLDS = 4


@dataclass(frozen=True, eq=False)
class Task:
    """A network to fit: on which pieces, and which others it is asked about."""

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
    """What networks and kernels that had not met them answered to pieces."""

    without: NDArray[np.float32]
    """logits [pieces, ANSWERS] without statistics of the speaker's other speech; NaN where nobody was asked"""
    own: NDArray[np.float32]
    """with them"""


def fit(voices: Voices, task: Task, lesson: Lesson, seed: int, cache: Path, say: Say) -> None:
    """Fit one network and one kernel, and write them with what they answer together; what is written already stays."""
    if not _weights(cache, task.name).is_file():
        own_lesson = lesson_of(task.name, lesson)
        pupil = teach(voices, task.fitted_on, own_lesson, seed, lambda text: say(f"{task.name}: {text}"))
        np.savez(cache / f"{task.name}.npz", **{f"usual_{key}": value for key, value in vars(pupil.usual).items()})
        pupil.network.save_weights(_weights(cache, task.name))
    if not (cache / f"{task.name}.kernel.npz").is_file():
        kernel = fit_kernel(voices, task.fitted_on, usual(voices, task.fitted_on), lesson.evenness, seed)
        np.savez(cache / f"{task.name}.kernel.npz", **vars(kernel))
    if len(task.asked) and not (cache / f"{task.name}.answers.npz").is_file():
        pupil = pupil_of(task.name, lesson, cache)
        without, own = (logits(pupil, voices, task.asked, known) for known in (False, True))
        np.savez(cache / f"{task.name}.answers.npz", without=without, own=own)
        say(f"{task.name}: answered")


def fit_some(names: list[str], data: Path, cache: Path, seed: int) -> None:
    """Fit these networks, on one core. Here and not in ``__main__``, which a process of a pool cannot import."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    voices = load(data, cache, seed)
    every = tasks(voices, seed)
    for name in names:
        fit(voices, every[name], Lesson(), seed, cache, say)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def pupil_of(name: str, lesson: Lesson, cache: Path) -> Pupil:
    """What ``fit`` wrote: the network and the kernel together."""
    network = build(lesson_of(name, lesson).width).both
    network.load_weights(_weights(cache, name))
    kernel = Kernel(**np.load(cache / f"{name}.kernel.npz"))
    stored = np.load(cache / f"{name}.npz")
    return Pupil(
        with_kernel(network, kernel), Usual(**{key: stored[f"usual_{key}"] for key in Usual.__dataclass_fields__})
    )


def answers(voices: Voices, every: Mapping[str, Task], wanted: Callable[[str], bool], cache: Path) -> Answers:
    """The answers of the networks whose names are wanted, put together."""
    both = [np.full((voices.pieces, 5), np.nan, np.float32) for _ in range(2)]
    for name, task in every.items():
        if wanted(name):
            stored = np.load(cache / f"{name}.answers.npz")
            both[0][task.asked], both[1][task.asked] = stored["without"], stored["own"]
    return Answers(*both)


def _weights(cache: Path, name: str) -> Path:
    return cache / f"{name}.weights.h5"
