"""FER2013 in each of its forms gives the same faces; what is none of them is one line."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.circumplex import MOODS, Mood
from training.data import PRIVATE_TEST, PUBLIC_TEST, TRAINING, DataError, load

USAGES = ["Training", "PublicTest", "PrivateTest"]
FOLDERS = ["angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral"]


@pytest.fixture(scope="module")
def table() -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Generated faces [42, 48, 48], labels 0-6 and usage 0-2, each pair twice."""
    images = np.random.default_rng(5).integers(0, 256, (42, 48, 48), dtype=np.uint8)
    return images, np.arange(42) % 7, np.arange(42) // 7 % 3


@pytest.fixture(params=["npz", "csv"])
def file(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    table: tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]],
) -> Path:
    images, labels, usage = table
    path = tmp_path / f"fer.{request.param}"
    if request.param == "npz":
        np.savez(path, images=images, labels=labels, usage=usage, same_as_training=np.arange(42) == 7)
        return path
    rows = [
        f"{label},{' '.join(map(str, image.ravel()))},{USAGES[part]}"
        for image, label, part in zip(images, labels, usage, strict=True)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


def test_four_of_seven_labels_remain_in_the_order_of_the_moods(
    file: Path, table: tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]
) -> None:
    images, labels, usage = table
    splits = load(file)
    assert set(splits) == {TRAINING, PUBLIC_TEST, PRIVATE_TEST}
    mood_of = {0: Mood.ANGRY, 3: Mood.HAPPY, 4: Mood.SAD, 6: Mood.CALM}
    for part, faces in splits.items():
        kept = [index for index in range(42) if usage[index] == part and labels[index] in mood_of]
        assert (faces.images == images[kept]).all()
        assert [MOODS[label] for label in faces.labels] == [mood_of[labels[index]] for index in kept]


def test_copies_of_training_faces_are_known(file: Path) -> None:
    assert load(file)[PUBLIC_TEST].copies.sum() == (1 if file.suffix == ".npz" else 0)


def test_folders_go_by_their_names_not_their_order(
    tmp_path: Path, table: tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]
) -> None:
    images, labels, usage = table
    for index, (image, label, part) in enumerate(zip(images, labels, usage, strict=True)):
        folder = tmp_path / ("train" if part == 0 else "test") / FOLDERS[label]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{index:02}.png"), image)
    splits = load(tmp_path)
    assert set(splits) == {TRAINING, PUBLIC_TEST}
    angry = splits[TRAINING].images[splits[TRAINING].labels == MOODS.index(Mood.ANGRY)]
    assert (angry == images[(labels == 0) & (usage == 0)]).all()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "no such"),
        ("fer.csv", "emotion,Usage\n3,Training\n", "pixels"),
        ("fer.csv", "emotion,pixels,Usage\n3,1 2 3,Training\n", "row 1"),
        ("fer.csv", "", "empty|column"),
        ("fer.txt", "hello", "must be"),
        ("fer.npz", "hello", "not a"),
    ],
)
def test_bad_data_is_one_line(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=words) as caught:
        load(path)
    assert "\n" not in str(caught.value)
