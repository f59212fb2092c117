"""FER2013 in each of its forms gives the same faces; what is none of them is one line."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS, Mood
from training.data import EXPRESSIONS, FOUR, PRIVATE_TEST, PUBLIC_TEST, TRAINING, VOTES_FILE, DataError, load

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
    splits = load(file).moods()
    assert set(splits) == {TRAINING, PUBLIC_TEST, PRIVATE_TEST}
    mood_of = {0: Mood.ANGRY, 3: Mood.HAPPY, 4: Mood.SAD, 6: Mood.CALM}
    for part, faces in splits.items():
        kept = [index for index in range(42) if usage[index] == part and labels[index] in mood_of]
        assert (faces.images == images[kept]).all()
        assert [MOODS[label] for label in faces.labels] == [mood_of[labels[index]] for index in kept]


def test_copies_of_training_faces_are_known(file: Path) -> None:
    assert load(file).moods()[PUBLIC_TEST].copies.sum() == (1 if file.suffix == ".npz" else 0)


def test_folders_go_by_their_names_not_their_order(
    tmp_path: Path, table: tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]
) -> None:
    images, labels, usage = table
    for index, (image, label, part) in enumerate(zip(images, labels, usage, strict=True)):
        folder = tmp_path / ("train" if part == 0 else "test") / FOLDERS[label]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{index:02}.png"), image)
    splits = load(tmp_path).moods()
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


COLUMNS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]
VOTES = [[0, 0, 0, 5, 5, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 1, 8, 0], [0] * 10, [10] + [0] * 9]


@pytest.fixture(params=["npz", "csv"])
def voted(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Four faces with FER+'s votes; the last one is PublicTest's and a copy of the first."""
    path = tmp_path / f"fer2013.{request.param}"
    images = np.zeros((4, 48, 48), np.uint8)
    images[1:3] = [[[1]], [[2]]]
    if request.param == "npz":
        votes = np.array([[-1] * 10 if not sum(row) else row for row in VOTES])
        np.savez(
            path, images=images, labels=[0, 1, 3, 6], usage=[0, 0, 0, 1], ferplus_votes=votes, ferplus_columns=COLUMNS
        )
        return path
    rows = [
        f"{label},{' '.join(map(str, image.ravel()))},{USAGES[part]}"
        for image, label, part in zip(images, [0, 1, 3, 6], [0, 0, 0, 1], strict=True)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    lines = [f"Training,fer{index}.png," + ",".join(map(str, row)) for index, row in enumerate(VOTES)]
    path.with_name(VOTES_FILE).write_text("\n".join(["Usage,Image name," + ",".join(COLUMNS), *lines]) + "\n")
    return path


def test_targets_mix_the_label_with_the_votes(voted: Path) -> None:
    faces = load(voted).training(share_of_votes=0.5)
    assert faces.targets.shape == (3, 7)
    assert faces.targets.sum(axis=1) == pytest.approx(1)
    angry, sad = EXPRESSIONS.index("angry"), EXPRESSIONS.index("sad")
    assert faces.targets[0, [angry, sad]] == pytest.approx([0.75, 0.25])
    assert faces.targets[1, EXPRESSIONS.index("disgust")] == pytest.approx(1)
    assert faces.targets[2, EXPRESSIONS.index("happy")] == pytest.approx(1)
    assert faces.moods.tolist() == [True, False, True]


def test_copies_are_found_where_the_data_does_not_tell(voted: Path) -> None:
    assert load(voted).copies.tolist() == [False, False, False, True]


def test_the_digest_tells_other_targets(voted: Path) -> None:
    data = load(voted)
    assert data.training(0.5).digest() == data.training(0.5).digest() != data.training(0.4).digest()


def test_data_without_votes_is_one_line(file: Path) -> None:
    assert load(file).training(0.0).targets.max() == 1
    with pytest.raises(DataError, match=VOTES_FILE):
        load(file).training(0.5)


def test_votes_of_another_table_are_refused(voted: Path) -> None:
    if voted.suffix == ".csv":
        beside = voted.with_name(VOTES_FILE)
        beside.write_text(beside.read_text() + "Training,x.png" + ",1" * 10 + "\n")
        with pytest.raises(DataError, match="5 rows"):
            load(voted)


def test_the_four_moods_are_taken_from_the_seven_expressions_in_order() -> None:
    assert [EXPRESSIONS[index] for index in FOUR] == ["angry", "happy", "sad", "neutral"]
