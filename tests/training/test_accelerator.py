"""What travels to an accelerator arrives whole, and bad files are one line."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.support.needs import missing

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from training.accelerator.packed import FACES, expand, pack, pack_weights, unpack, unpack_weights
        from training.config import load_config
        from training.data import PUBLIC_TEST, TRAINING, DataError, load
        from training.networks import NETWORKS
        from training.smoke import draw
except ImportError:
    missing("tensorflow (make setup-train)")

PLANS = Path(__file__).parents[2] / "training" / "accelerator"


def test_faces_arrive_as_they_were(tmp_path: Path) -> None:
    data = load(draw(tmp_path / "gratings.npz", count=140))
    (tmp_path / FACES).write_bytes(pack(data))
    assert (tmp_path / FACES).stat().st_size < data.images.nbytes * 0.85
    expand(tmp_path / FACES, tmp_path / "faces.npz")
    for copy in (load(tmp_path / FACES), load(tmp_path / "faces.npz")):
        assert copy.training(0.3).digest() == data.training(0.3).digest()
        for part in (TRAINING, PUBLIC_TEST):
            for name in ("images", "labels", "copies"):
                assert (getattr(copy.moods()[part], name) == getattr(data.moods()[part], name)).all()


def test_weights_arrive_nearly_as_they_were(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    weights = [random.normal(0, 1, shape).astype(np.float32) for shape in ((3, 3, 8, 16), (16,), (1,))]
    pack_weights(weights, tmp_path / "weights.npz")
    kernel, *rest = unpack_weights(tmp_path / "weights.npz")
    assert all((one == other).all() for one, other in zip(rest, weights[1:], strict=True))
    assert np.abs(kernel - weights[0]).max() <= np.abs(weights[0]).max() / 254 + 1e-6


def test_what_was_not_packed_is_one_line(tmp_path: Path) -> None:
    data = pack(load(draw(tmp_path / "gratings.npz", count=70)))
    for packed in (b"", b"no faces", data[: len(data) // 2]):
        with pytest.raises(DataError, match=r"^not packed faces: "):
            unpack(packed)
    pack_weights([np.ones((3, 3), np.float32)], tmp_path / "whole.npz")
    whole = (tmp_path / "whole.npz").read_bytes()
    for weights in (b"", b"none", whole[: len(whole) // 2]):
        (tmp_path / "weights.npz").write_bytes(weights)
        with pytest.raises(DataError, match=r"^not packed weights: "):
            unpack_weights(tmp_path / "weights.npz")


def test_a_plan_that_cannot_be_trained_is_one_line(tmp_path: Path) -> None:
    (tmp_path / FACES).write_bytes(pack(load(draw(tmp_path / "gratings.npz", count=70))))
    given = ["--packed", str(tmp_path), "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    for more, words in (
        (["--minutes", "0.1"], "too little time is left"),
        (["--plan", str(tmp_path)], "the plan has no configurations"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "training.accelerator", *given, *more], capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_plan_names_networks_that_exist() -> None:
    teachers, pupils = (
        [load_config(path) for path in sorted((PLANS / kind).glob("*.toml"))] for kind in ("teachers", "pupils")
    )
    assert {one.network for one in teachers} == {"wide", "inception", "densenet", "efficientnet_lite0"}
    assert {one.network for one in [*teachers, *pupils]} <= set(NETWORKS)
    assert len({one.seed for one in teachers}) == len(teachers), "unlike teachers begin with unlike weights"
