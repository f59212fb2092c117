"""FER2013 as four moods, from any of the three forms in which people have it.

Source of the data: I. Goodfellow et al., "Challenges in representation learning: a report on three machine
learning contests", ICONIP 2013. The other three of its seven expressions (disgust, fear, surprise) are left out.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.circumplex import MOODS, Mood

SIZE = 48
TRAINING, PUBLIC_TEST, PRIVATE_TEST = 0, 1, 2

_MOOD_OF_LABEL = {0: Mood.ANGRY, 3: Mood.HAPPY, 4: Mood.SAD, 6: Mood.CALM}
_MOOD_OF_FOLDER = {
    "angry": Mood.ANGRY,
    "happy": Mood.HAPPY,
    "sad": Mood.SAD,
    "neutral": Mood.CALM,
    "calm": Mood.CALM,
}
_USAGE_OF_NAME = {
    "training": TRAINING,
    "publictest": PUBLIC_TEST,
    "privatetest": PRIVATE_TEST,
    "train": TRAINING,
    "validation": PUBLIC_TEST,
    "test": PUBLIC_TEST,
}


class DataError(Exception):
    """The training data cannot be read."""


@dataclass(frozen=True)
class Faces:
    """Grey faces with their moods."""

    images: NDArray[np.uint8]
    """[N, 48, 48], raw grey levels"""
    labels: NDArray[np.int64]
    """[N], index into ``shared.circumplex.MOODS``"""
    copies: NDArray[np.bool_]
    """[N], pixel-identical to a Training face (False where the data does not say)"""

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        """SHA-256 over pixels and labels, to tell which data a run saw."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()


def load(path: Path) -> dict[int, Faces]:
    """Read FER2013 from its CSV, its image folders or the npz form; returns faces by usage (0, 1, 2).

    Raises DataError with one line when the path or its contents are not FER2013.
    """
    if path.is_dir():
        return _load_folders(path)
    if not path.is_file():
        raise DataError(f"no such training data: {path}")
    if path.suffix == ".npz":
        return _load_npz(path)
    if path.suffix == ".csv":
        return _load_csv(path)
    raise DataError(f"training data must be a .csv, a .npz or a folder: {path}")


def _split(
    images: NDArray[np.uint8], moods: list[Mood | None], usage: NDArray[np.int64], copies: NDArray[np.bool_]
) -> dict[int, Faces]:
    labels = np.array([-1 if mood is None else MOODS.index(mood) for mood in moods], dtype=np.int64)
    faces = {}
    for part in (TRAINING, PUBLIC_TEST, PRIVATE_TEST):
        chosen = (usage == part) & (labels >= 0)
        if chosen.any():
            faces[part] = Faces(images[chosen], labels[chosen], copies[chosen])
    if TRAINING not in faces or PUBLIC_TEST not in faces:
        raise DataError("the data has no Training or no PublicTest faces of the four moods")
    return faces


def _load_npz(path: Path) -> dict[int, Faces]:
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError):
        raise DataError(f"not a readable .npz file: {path}") from None
    with archive:
        missing = {"images", "labels", "usage"} - set(archive.files)
        if missing:
            raise DataError(f"{path} lacks {', '.join(sorted(missing))}")
        images = archive["images"].astype(np.uint8).reshape(-1, SIZE, SIZE)
        moods = [_MOOD_OF_LABEL.get(int(label)) for label in archive["labels"]]
        usage = archive["usage"].astype(np.int64)
        copies = archive["same_as_training"].astype(bool) if "same_as_training" in archive.files else None
    return _split(images, moods, usage, np.zeros(len(images), bool) if copies is None else copies)


def _load_csv(path: Path) -> dict[int, Faces]:
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise DataError(f"not a readable CSV file: {path} ({error})") from None
    missing = {"emotion", "pixels", "Usage"} - set(table.columns)
    if missing:
        raise DataError(f"{path} lacks the column {', '.join(sorted(missing))}")
    images = np.zeros((len(table), SIZE, SIZE), dtype=np.uint8)
    for row, pixels in enumerate(table["pixels"]):
        try:
            images[row] = np.array(pixels.split(), dtype=np.uint8).reshape(SIZE, SIZE)
        except (ValueError, OverflowError, AttributeError):
            raise DataError(f"{path}, row {row + 1}: not {SIZE * SIZE} grey levels") from None
    usage = np.array([_USAGE_OF_NAME.get(str(name).lower(), -1) for name in table["Usage"]], dtype=np.int64)
    moods = [_MOOD_OF_LABEL.get(int(label)) for label in table["emotion"]]
    return _split(images, moods, usage, np.zeros(len(images), bool))


def _load_folders(path: Path) -> dict[int, Faces]:
    """Folders such as ``train/happy/*.jpg`` and ``test/happy/*.jpg``; names decide, not their order."""
    images: list[NDArray[np.uint8]] = []
    moods: list[Mood | None] = []
    usage: list[int] = []
    for file in sorted(path.glob("*/*/*")):
        part, mood = _USAGE_OF_NAME.get(file.parts[-3].lower()), _MOOD_OF_FOLDER.get(file.parts[-2].lower())
        if part is None or mood is None:
            continue
        image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if image is None or image.shape != (SIZE, SIZE):
            raise DataError(f"not a picture of {SIZE}x{SIZE}: {file}")
        images.append(image.astype(np.uint8))
        moods.append(mood)
        usage.append(part)
    if not images:
        raise DataError(f"{path} has no folders like train/happy with pictures in them")
    return _split(np.stack(images), moods, np.array(usage), np.zeros(len(images), bool))
