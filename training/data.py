"""FER2013, from any of the three forms in which people have it: all seven expressions, or the four moods.

Sources: I. Goodfellow et al., "Challenges in representation learning: a report on three machine learning contests",
ICONIP 2013; the votes are FER+'s: E. Barsoum et al., "Training deep networks for facial expression recognition with
crowd-sourced label distribution", ICMI 2016, in which ten people labelled each face anew.
"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError

SIZE = 48
TRAINING, PUBLIC_TEST, PRIVATE_TEST = 0, 1, 2
PARTS = {TRAINING: "Training", PUBLIC_TEST: "PublicTest", PRIVATE_TEST: "PrivateTest"}

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""In the order of FER2013's labels."""
_EXPRESSION_OF_MOOD = {Mood.ANGRY: "angry", Mood.HAPPY: "happy", Mood.SAD: "sad", Mood.CALM: "neutral"}
FOUR = [EXPRESSIONS.index(_EXPRESSION_OF_MOOD[mood]) for mood in MOODS]
"""Where the four moods stand among the seven expressions, in the order of ``MOODS``."""

PACKED = ".packed"
"""How a file of ``training.accelerator.packed`` ends."""
VOTES_FILE = "fer2013new.csv"
"""FER+'s own file; read where it lies beside fer2013.csv, whose rows it follows."""
VOTES = {
    "angry": ("anger",),
    "disgust": ("disgust", "contempt"),
    "fear": ("fear",),
    "happy": ("happiness",),
    "sad": ("sadness",),
    "surprise": ("surprise",),
    "neutral": ("neutral",),
}
_EXPRESSION_OF_FOLDER = {name: index for index, name in enumerate(EXPRESSIONS)} | {
    "disgusted": 1,
    "fearful": 2,
    "surprised": 5,
    "calm": 6,
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
    """The training data cannot be read, or a run is not what it should be."""


def in_one_line(main: Callable[[list[str] | None], int]) -> Callable[..., int]:
    """A command that ends with one line and status 1 when its data, a model or a file is not what it should be."""

    @wraps(main)
    def command(arguments: list[str] | None = None) -> int:
        try:
            return main(arguments)
        except (DataError, MoodstreamError, OSError) as error:
            print(f"training: {error}", file=sys.stderr)
            return 1

    return command


@dataclass(frozen=True)
class Faces:
    """Grey faces with their moods."""

    images: NDArray[np.uint8]
    """[N, 48, 48], raw grey levels"""
    labels: NDArray[np.int64]
    """[N], index into ``moodstream.contracts.moods.MOODS``"""
    copies: NDArray[np.bool_]
    """[N], pixel-identical to a Training face"""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class SoftFaces:
    """Training faces of all seven expressions."""

    images: NDArray[np.uint8]
    """[N, 48, 48]"""
    targets: NDArray[np.float32]
    """[N, 7], probabilities in the order of ``EXPRESSIONS``"""
    moods: NDArray[np.bool_]
    """[N], the label is one of the four moods"""

    def digest(self) -> str:
        """SHA-256 over pixels and targets, to identify the data that a run saw."""
        return hashlib.sha256(self.images.tobytes() + self.targets.tobytes()).hexdigest()


@dataclass(frozen=True)
class Fer2013:
    """All faces of all parts."""

    images: NDArray[np.uint8]
    """[N, 48, 48], raw grey levels"""
    labels: NDArray[np.int64]
    """[N], index into ``EXPRESSIONS``"""
    usage: NDArray[np.int64]
    """[N], TRAINING, PUBLIC_TEST or PRIVATE_TEST"""
    copies: NDArray[np.bool_]
    """[N], outside of Training and pixel-identical to a Training face"""
    votes: NDArray[np.int64] | None
    """[N, 7], FER+'s votes by expression, all 0 where there are none; None without FER+"""

    def moods(self) -> dict[int, Faces]:
        """The four moods by part."""
        mood = np.full(len(EXPRESSIONS), -1)
        mood[FOUR] = np.arange(len(FOUR))
        labels = mood[self.labels]
        parts = {part: (self.usage == part) & (labels >= 0) for part in PARTS}
        if not parts[TRAINING].any() or not parts[PUBLIC_TEST].any():
            raise DataError("the data has no Training or no PublicTest faces of the four moods")
        return {
            part: Faces(self.images[chosen], labels[chosen], self.copies[chosen])
            for part, chosen in parts.items()
            if chosen.any()
        }

    def training(self, share_of_votes: float) -> SoftFaces:
        """The Training faces; each target is a mixture of FER2013's label and the share of FER+'s votes.

        Votes for "unknown" and "no face" are left out; a face without votes keeps its label alone. Raises DataError.
        """
        chosen = self.usage == TRAINING
        labels = self.labels[chosen]
        targets = np.eye(len(EXPRESSIONS), dtype=np.float32)[labels]
        if share_of_votes:
            if self.votes is None:
                raise DataError(f"soft targets need FER+'s votes: put {VOTES_FILE} beside fer2013.csv, or set share 0")
            votes = self.votes[chosen]
            total = votes.sum(axis=1, keepdims=True)
            shares = np.where(total > 0, votes / np.maximum(total, 1), targets)
            targets = ((1 - share_of_votes) * targets + share_of_votes * shares).astype(np.float32)
        return SoftFaces(self.images[chosen], targets, np.isin(labels, FOUR))


def load(path: Path) -> Fer2013:
    """Read FER2013 from its CSV, its image folders or the npz form.

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
    if path.suffix == PACKED:
        from training.accelerator.packed import unpack

        return unpack(path.read_bytes())
    raise DataError(f"training data must be a .csv, a .npz or a folder: {path}")


def _copies(images: NDArray[np.uint8], usage: NDArray[np.int64]) -> NDArray[np.bool_]:
    known = {image.tobytes() for image in images[usage == TRAINING]}
    return np.array([part != TRAINING and image.tobytes() in known for image, part in zip(images, usage, strict=True)])


def _by_expression(votes: NDArray[np.int64], columns: list[str]) -> NDArray[np.int64]:
    counted = [votes[:, [columns.index(name) for name in names]].sum(axis=1) for names in VOTES.values()]
    return np.stack(counted, axis=1)


def _load_npz(path: Path) -> Fer2013:
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError):
        raise DataError(f"not a readable .npz file: {path}") from None
    with archive:
        missing = {"images", "labels", "usage"} - set(archive.files)
        if missing:
            raise DataError(f"{path} lacks {', '.join(sorted(missing))}")
        images = archive["images"].astype(np.uint8).reshape(-1, SIZE, SIZE)
        usage = archive["usage"].astype(np.int64)
        copies = archive["same_as_training"].astype(bool) if "same_as_training" in archive.files else None
        votes = None
        if "ferplus_votes" in archive.files:
            columns = [str(name) for name in archive["ferplus_columns"]]
            votes = _by_expression(archive["ferplus_votes"].astype(np.int64).clip(min=0), columns)
        labels = archive["labels"].astype(np.int64)
    return Fer2013(images, labels, usage, _copies(images, usage) if copies is None else copies, votes)


def _load_csv(path: Path) -> Fer2013:
    table = _table(path, {"emotion", "pixels", "Usage"})
    images = np.zeros((len(table), SIZE, SIZE), dtype=np.uint8)
    for row, pixels in enumerate(table["pixels"]):
        try:
            images[row] = np.array(pixels.split(), dtype=np.uint8).reshape(SIZE, SIZE)
        except (ValueError, OverflowError, AttributeError):
            raise DataError(f"{path}, row {row + 1}: not {SIZE * SIZE} grey levels") from None
    usage = np.array([_USAGE_OF_NAME.get(str(name).lower(), -1) for name in table["Usage"]], dtype=np.int64)
    votes, beside = None, path.with_name(VOTES_FILE)
    if beside.is_file():
        columns = [name for names in VOTES.values() for name in names]
        voted = _table(beside, set(columns))
        if len(voted) != len(table):
            raise DataError(f"{beside} has {len(voted)} rows, {path.name} has {len(table)}")
        votes = _by_expression(voted[columns].to_numpy(np.int64), columns)
    return Fer2013(images, table["emotion"].to_numpy(np.int64), usage, _copies(images, usage), votes)


def _table(path: Path, columns: set[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise DataError(f"not a readable CSV file: {path} ({error})") from None
    missing = columns - set(table.columns)
    if missing:
        raise DataError(f"{path} lacks the column {', '.join(sorted(missing))}")
    return table


def _load_folders(path: Path) -> Fer2013:
    """Folders such as ``train/happy/*.jpg`` and ``test/happy/*.jpg``; names decide, not their order."""
    images, labels, parts = [], [], []
    for file in sorted(path.glob("*/*/*")):
        part = _USAGE_OF_NAME.get(file.parts[-3].lower())
        label = _EXPRESSION_OF_FOLDER.get(file.parts[-2].lower())
        if part is None or label is None:
            continue
        image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if image is None or image.shape != (SIZE, SIZE):
            raise DataError(f"not a picture of {SIZE}x{SIZE}: {file}")
        images.append(image.astype(np.uint8))
        labels.append(label)
        parts.append(part)
    if not images:
        raise DataError(f"{path} has no folders like train/happy with pictures in them")
    faces, usage = np.stack(images), np.array(parts)
    return Fer2013(faces, np.array(labels), usage, _copies(faces, usage), None)
