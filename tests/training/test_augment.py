"""Changed faces are faces still, and what is switched off changes nothing."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.needs import missing

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from training.augment import MIRRORED_ONLY, Augmentation, augment, cut_and_mix, mix
        from training.backends import keras
except ImportError:
    missing("tensorflow (make setup-train)")

pytestmark = pytest.mark.filterwarnings("ignore")

FACES = np.random.default_rng(7).integers(0, 256, (32, 48, 48, 1), dtype=np.uint8)
SMOOTH = np.tile((128 + 60 * np.sin(np.arange(48) / 4))[None, :, None, None], (32, 1, 48, 1)).astype(np.float32)


def changed(faces: NDArray[Any], how: Augmentation, size: int = 48) -> NDArray[np.float32]:
    return np.asarray(augment(faces, how, keras.random.SeedGenerator(1), size))


@pytest.mark.parametrize("size", [48, 36])
def test_changed_faces_are_faces_of_the_size_wanted(size: int) -> None:
    faces = changed(FACES, Augmentation(), size)
    assert faces.shape == (32, size, size, 1)
    assert faces.min() >= 0
    assert faces.max() <= 255
    assert np.isfinite(faces).all()


def test_the_same_seed_gives_the_same_faces() -> None:
    assert (changed(FACES, Augmentation()) == changed(FACES, Augmentation())).all()


def test_no_augmentation_at_all_changes_nothing_but_the_side() -> None:
    sides = []
    for before, after in zip(FACES, changed(FACES, MIRRORED_ONLY), strict=True):
        sides.append(np.allclose(after, before, atol=0.01))
        assert sides[-1] or np.allclose(after, before[:, ::-1], atol=0.01)
    assert 4 < sum(sides) < 28


def test_a_smaller_face_is_the_same_face() -> None:
    small = changed(SMOOTH, MIRRORED_ONLY, 36)
    rows = np.interp((np.arange(36) - 17.5) * 48 / 36 + 23.5, np.arange(48), SMOOTH[0, :, 0, 0])
    assert np.abs(small[0, :, 18, 0] - rows).max() < 1


@pytest.mark.parametrize("name", ["moved", "small", "compressed", "erased", "dark"])
def test_each_wear_reaches_its_share_of_the_faces(name: str) -> None:
    """All or none of the faces at the shares 1 and 0, some in between; smooth parts stay as they are."""
    plain = np.repeat(SMOOTH.transpose(0, 2, 1, 3), 4, axis=0) + np.random.default_rng(1).normal(0, 9, (128, 48, 48, 1))
    plain = plain.clip(0, 255).astype(np.float32)
    differ = {}
    for share in (0.0, 0.3, 1.0):
        after = changed(plain, replace(MIRRORED_ONLY, **{name: share}))
        gap = np.minimum(
            np.abs(after - plain).mean(axis=(1, 2, 3)), np.abs(after - plain[:, :, ::-1]).mean(axis=(1, 2, 3))
        )
        differ[share] = float((gap > 0.5).mean())
    assert differ[0.0] == 0
    assert 0.1 < differ[0.3] < 0.5
    assert differ[1.0] > 0.9


def test_compression_leaves_even_blocks_alone() -> None:
    even = np.full((4, 48, 48, 1), 100, np.float32)
    after = changed(even, replace(MIRRORED_ONLY, compressed=1.0))
    assert np.abs(after - even).max() < 4


def test_mixed_targets_stay_probabilities() -> None:
    targets = np.eye(7, dtype=np.float32)[np.arange(32) % 7]
    shares = set()
    for seed in range(8):
        faces, mixed = mix(FACES.astype(np.float32), targets, 0.4, keras.random.SeedGenerator(seed))
        assert faces.shape == FACES.shape
        assert np.asarray(mixed).sum(axis=1) == pytest.approx(1, abs=1e-5)
        shares.add(bool(np.allclose(mixed, targets)))
    assert shares == {True, False}, "half the batches are mixed"


def test_a_cut_face_has_as_much_of_another_s_target_as_of_its_pixels() -> None:
    levels = np.arange(32, dtype=np.float32)[:, None, None, None] * np.ones((1, 48, 48, 1), np.float32)
    faces, mixed = cut_and_mix(levels, np.eye(32, dtype=np.float32), 0.5, keras.random.SeedGenerator(3))
    faces, mixed = np.asarray(faces), np.asarray(mixed)
    assert mixed.sum(axis=1) == pytest.approx(1, abs=1e-5)
    for own, (face, target) in enumerate(zip(faces, mixed, strict=True)):
        for level, share in enumerate(target):
            assert (face == level).mean() == pytest.approx(share, abs=1e-5)
        assert target[own] > 0.4
    assert 4 < (mixed.max(axis=1) < 1).sum() < 28, "about half of the faces are cut"
