"""All seven expressions of FER2013 with soft targets, for networks that learn from more than the four moods.

The votes are FER+'s: E. Barsoum et al., "Training deep networks for facial expression recognition with
crowd-sourced label distribution", ICMI 2016. Ten people labelled each face anew.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.circumplex import MOODS, Mood
from training.data import SIZE, DataError

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
MOOD_EXPRESSIONS: dict[Mood, str] = {
    Mood.ANGRY: "angry",
    Mood.HAPPY: "happy",
    Mood.SAD: "sad",
    Mood.CALM: "neutral",
}
FOUR = [EXPRESSIONS.index(MOOD_EXPRESSIONS[mood]) for mood in MOODS]
"""Where the four moods stand among the seven expressions, in the order of ``MOODS``."""

_VOTES = {
    "angry": ("anger",),
    "disgust": ("disgust", "contempt"),
    "fear": ("fear",),
    "happy": ("happiness",),
    "sad": ("sadness",),
    "surprise": ("surprise",),
    "neutral": ("neutral",),
}


@dataclass(frozen=True)
class SoftFaces:
    """Training faces of all seven expressions."""

    images: NDArray[np.uint8]
    """[N, 48, 48]"""
    targets: NDArray[np.float32]
    """[N, 7], probabilities in the order of ``EXPRESSIONS``"""


def load_training(path: Path, share_of_votes: float) -> SoftFaces:
    """The Training faces of the npz form; each target is a mixture of FER2013's label and the share of FER+'s votes.

    Votes for "unknown" and "no face" are left out; a face without votes keeps its label alone. Raises DataError.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            training = archive["usage"] == 0
            images = archive["images"][training].astype(np.uint8).reshape(-1, SIZE, SIZE)
            labels = archive["labels"][training].astype(int)
            votes = archive["ferplus_votes"][training].clip(min=0)
            columns = [str(name) for name in archive["ferplus_columns"]]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"soft targets need the .npz form with FER+ votes: {path} ({error})") from None
    counted = np.stack(
        [votes[:, [columns.index(name) for name in names]].sum(axis=1) for names in _VOTES.values()], axis=1
    ).astype(np.float32)
    hard = np.eye(len(EXPRESSIONS), dtype=np.float32)[labels]
    total = counted.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, counted / np.maximum(total, 1), hard)
    return SoftFaces(images, ((1 - share_of_votes) * hard + share_of_votes * shares).astype(np.float32))
