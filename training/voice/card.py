"""What is said of the networks: calibration, abstention, and the tables of the card."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from moodstream.contracts.moods import MOODS
from services.voice.model import VOICE_MODELS
from training.measures import (
    Calibration,
    abstention,
    expected_calibration_error,
    likelihood_loss,
    probabilities_of,
    risk_coverage,
)
from training.voice.corpora import FREE, Ints, Voices
from training.voice.export import export
from training.voice.floor import floor
from training.voice.lesson import Lesson, Say, inputs
from training.voice.measures import HIGH, arousal_right, confusion, rows_of
from training.voice.runs import Answers, answers, pupil_of, tasks

Logits = NDArray[np.float32]
SHOWN = 512
"""pieces that show the ranges of values to the int8 file"""


@dataclass(frozen=True)
class Calibrated:
    """What is done with the logits of moods, and the scale and shift of that of arousal: temperatures alone. A shift
    for each mood fits the speakers that it is fitted on, and costs others four points in a hundred."""

    moods: Calibration
    arousal: tuple[float, float]

    @classmethod
    def fit(cls, logits: Logits, moods: Ints) -> "Calibrated":
        """Logits [N, 5] of voices that the network had not met."""
        high = np.where(moods < HIGH, 1.0, -1.0)

        def loss(scale: float) -> float:
            return likelihood_loss(probabilities_of(np.exp(scale) * logits[:, :4]), moods)

        def loss_of_arousal(scale: float) -> float:
            return float(np.logaddexp(0, -high * np.exp(scale) * logits[:, 4]).mean())

        scale, of_arousal = (
            float(np.exp(minimize_scalar(one, bounds=(-2, 2), method="bounded").x)) for one in (loss, loss_of_arousal)
        )
        return cls(Calibration((scale,) * len(MOODS), (0.0,) * len(MOODS)), (of_arousal, 0.0))

    def probabilities(self, logits: Logits) -> NDArray[np.float64]:
        return probabilities_of(self.moods.apply(logits[:, :4]))

    def arousals(self, logits: Logits) -> NDArray[np.float64]:
        return np.asarray(np.tanh((self.arousal[0] * logits[:, 4] + self.arousal[1]) / 2))


SPLITS: Mapping[str, Callable[[str], bool]] = {
    "speakers apart": lambda task: task.startswith("speakers-"),
    "corpora apart": lambda task: task.startswith("corpora-"),
    "free, speakers apart": lambda task: task.startswith("free-") and task != "free-all",
    "free, corpora apart": lambda task: task == "free-all",
}
"""By title, the names of the tasks whose answers it puts together."""
_FILES = {"research": ("all", "speakers apart"), "free": ("free-all", "free, speakers apart")}
"""By file, the task whose network ships, and the split that calibrates it."""


def write_files(voices: Voices, cache: Path, out: Path, version: str, seed: int, say: Say) -> None:
    """Calibrate on voices that were kept aside, and write the two files."""
    every = tasks(voices, seed)
    for name, (whole, split) in _FILES.items():
        found = answers(voices, every, SPLITS[split], cache)
        fitted, logits, moods = _calibrated(voices, found)
        unsure = abstention(risk_coverage(fitted.probabilities(logits), moods))
        pupil = pupil_of(whole, Lesson(), cache)
        met = every[whole].fitted_on
        shown = np.random.default_rng(seed).choice(met, min(SHOWN, len(met)), replace=False)
        half = len(shown) // 2
        parts = [inputs(voices, rows, pupil.usual, own) for rows, own in ((shown[:half], False), (shown[half:], True))]
        told = {
            "name": VOICE_MODELS[name].stem,
            "version": version,
            "data": ", ".join(FREE if name == "free" else np.unique(voices.corpus)),
            "unsure_below": f"{unsure.threshold:.2f}",
            "abstention": json.dumps({key: round(value, 4) for key, value in unsure._asdict().items()}),
        }
        speech, numbers = (np.concatenate(both) for both in zip(*parts, strict=True))
        file = out / VOICE_MODELS[name].name
        say(f"{file.name}: {export(pupil, fitted.moods, fitted.arousal, told, (speech, numbers), file)}")


def _calibrated(voices: Voices, found: Answers) -> tuple[Calibrated, Logits, Ints]:
    """Fitted on all answers, with and without own speech, which are given, too, with their moods."""
    met = ~np.isnan(found.without[:, 0])
    logits, moods = np.concatenate([found.without[met], found.own[met]]), np.tile(voices.mood[met], 2)
    return Calibrated.fit(logits, moods), logits, moods


def write_readings(voices: Voices, cache: Path, seed: int) -> Path:
    """Write ``readings.npz`` for ``training.fusion``: what models that met neither the speaker nor the corpus said."""
    every = tasks(voices, seed)
    wanted = SPLITS["corpora apart"]
    found = answers(voices, every, wanted, cache)
    folds = [task.asked for name, task in every.items() if wanted(name)]
    shares, _ = _cross_fitted(voices, found.without, folds, None)
    out = cache / "readings.npz"
    np.savez(out, probabilities=shares, labels=voices.mood)
    return out


def write_tables(voices: Voices, cache: Path, seed: int, put: Callable[[str], None]) -> None:
    """The tables of the card, as Markdown. Every answer is of a network, and of a calibration, that had not met the
    speaker (or the corpus)."""
    every = tasks(voices, seed)
    put("| way | corpus | files | speakers | UAR of four moods | arousal right |")
    put("|---|---|---|---|---|---|")
    notes: list[str] = []
    for title, wanted in SPLITS.items():
        found = answers(voices, every, wanted, cache)
        folds = [task.asked for name, task in every.items() if wanted(name)]
        known = None
        if len(folds) == 1:  # calibrated as the file that ships is
            known, _, _ = _calibrated(voices, answers(voices, every, SPLITS["free, speakers apart"], cache))
        for way, logits in ((title, found.without), (f"{title}, own speech known", found.own)):
            shares, arousal = _cross_fitted(voices, logits, folds, known)
            for line in rows_of(voices, way, shares, arousal):
                put(line)
            notes += _notes(voices, way, shares, arousal)
    for title, prefix in (("speakers apart", "speakers-"), ("corpora apart", "corpora-")):
        machine = floor(voices, every, prefix, seed)
        high = 2 * machine[:, :HIGH].sum(axis=1) - 1
        for line in rows_of(voices, f"floor, {title}", machine, high):
            put(line)
    put("")
    for note in notes:
        put(f"- {note}")


def _cross_fitted(
    voices: Voices, logits: Logits, folds: list[Ints], known: Calibrated | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities and arousal of each piece, with the known calibration, or one that the other folds gave; NaN where
    nobody was asked."""
    shares, arousal = np.full((voices.pieces, 4), np.nan), np.full(voices.pieces, np.nan)
    for fold in folds:
        others = np.setdiff1d(np.concatenate(folds), fold)
        fitted = known or Calibrated.fit(logits[others], voices.mood[others])
        shares[fold], arousal[fold] = fitted.probabilities(logits[fold]), fitted.arousals(logits[fold])
    return shares, arousal


def _notes(voices: Voices, way: str, shares: NDArray[np.float64], arousal: NDArray[np.float64]) -> list[str]:
    met = np.flatnonzero(~np.isnan(arousal))
    moods, read, corpus = voices.mood[met], shares[met], voices.corpus[met]
    unsure = abstention(risk_coverage(read, moods))
    each = [
        arousal_right(moods[rows], arousal[met][rows] > 0)
        for rows in (np.flatnonzero(corpus == name) for name in np.unique(corpus))
    ]
    return [
        f"{way}: mean over corpora of arousal right {np.mean(each):.3f}; calibration error "
        f"{expected_calibration_error(read, moods):.3f}; {unsure.coverage:.3f} are read with at least "
        f"{unsure.threshold:.2f}, of which {unsure.risk:.3f} wrongly",
        f"{way}: meant (rows) and read, {', '.join(map(str, MOODS))}: {confusion(moods, read.argmax(1)).tolist()}",
    ]
