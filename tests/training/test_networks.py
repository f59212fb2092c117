"""The networks: sizes, and the right four of seven."""

import io
import pickle
import struct
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from tests.support.needs import missing

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from training.augment import Augmentation
        from training.config import CONFIGS, load_config
        from training.data import FOUR, DataError
        from training.measures import Calibration, probabilities_of
        from training.networks import NETWORKS, calibrated
        from training.networks.efficientnet import convert, efficientnet_lite0, main, read_torch
        from training.networks.plain import article
        from training.networks.residual import middle, residual
except ImportError:
    missing("tensorflow (make setup-train)")

pytestmark = pytest.mark.filterwarnings("ignore")

FACES = np.random.default_rng(7).integers(0, 256, (32, 48, 48, 1), dtype=np.uint8)


def test_four_of_seven_expressions_in_the_order_of_the_moods() -> None:
    network = residual()
    seven = np.asarray(network(FACES, training=False))
    four = np.asarray(calibrated(network)(FACES))
    wanted = np.exp(seven[:, FOUR]) / np.exp(seven[:, FOUR]).sum(axis=1, keepdims=True)
    assert four.shape == (32, len(MOODS))
    assert four == pytest.approx(wanted, abs=1e-5)


def test_the_sizes_are_as_the_cards_say() -> None:
    assert article().count_params() == 2_342_532
    assert 1_000_000 < residual().count_params() < 1_200_000
    assert 1_050_000 < middle().count_params() < residual().count_params() - 29_000
    assert residual()(FACES[:, :36, :36], training=False).shape == (32, 7)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_graph_calibrates_as_the_measures_do(name: str) -> None:
    network = NETWORKS[name](0.2)
    logits = np.log(np.asarray(calibrated(network)(FACES)))
    calibration = Calibration((0.5, 1.0, 2.0, 1.5), (0.3, -0.2, 0.1, 0.0))
    shares = np.asarray(calibrated(network, calibration)(FACES))
    assert shares == pytest.approx(probabilities_of(calibration.apply(logits)), abs=1e-5)
    assert np.abs(shares - np.exp(logits)).max() > 0.01


def test_a_mirrored_graph_answers_with_the_mean_of_the_logits_of_both_views() -> None:
    network = middle()
    one, other = (np.asarray(network(view, training=False))[:, FOUR] for view in (FACES, FACES[:, :, ::-1]))
    both = np.asarray(calibrated(network, mirrored=True)(FACES))
    assert both == pytest.approx(probabilities_of((one + other) / 2), abs=1e-5)
    assert np.abs(both - probabilities_of(one)).max() > 1e-4


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"article", "tiny"}))
def test_a_network_takes_faces_of_any_size_and_a_share_of_it_is_smaller(name: str) -> None:
    small = NETWORKS[name](0.2)
    assert small(FACES[:2, :36, :36], training=False).shape == small(FACES[:2], training=False).shape
    assert small.count_params() < NETWORKS[name](0.5).count_params()


class _Torch:
    """Weights as PyTorch's first format writes them: the tensors, then their numbers."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.arrays = arrays

    def save(self, path: Path, rebuild: str = "torch._utils _rebuild_tensor_v2") -> Path:
        stream = io.BytesIO()
        for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(part, stream, protocol=2)
        stream.write(b"\x80\x02}(")
        for key, (name, array) in enumerate(self.arrays.items()):
            kind = b"LongStorage" if array.dtype == np.int64 else b"FloatStorage"
            stream.write(b"X" + struct.pack("<I", len(name)) + name.encode())
            stream.write(b"c" + "\n".join(rebuild.split()).encode() + b"\n(")
            stream.write(b"(X\x07\x00\x00\x00storagectorch\n" + kind + b"\n" + _short(str(key)) + _short("cpu"))
            stream.write(b"J" + struct.pack("<i", array.size) + b"NtQ" + b"K\x00")
            for numbers in (array.shape, tuple(step // array.itemsize for step in array.strides)):
                stream.write(b"(" + b"".join(b"J" + struct.pack("<i", one) for one in numbers) + b"t")
            stream.write(b"\x89NtR")
        stream.write(b"u.")
        pickle.dump([str(key) for key in range(len(self.arrays))], stream, protocol=2)
        for array in self.arrays.values():
            stream.write(struct.pack("<q", array.size) + array.ravel(order="K").tobytes())
        path.write_bytes(stream.getvalue())
        return path


def _short(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _weights(random: np.random.Generator) -> dict[str, NDArray[Any]]:
    """As the package's file names and orders them, kernels turned as it does."""
    arrays: dict[str, NDArray[Any]] = {}
    for layer in efficientnet_lite0().layers:
        kind, shapes = type(layer).__name__, [tuple(one.shape) for one in layer.weights]
        if kind == "BatchNormalization":
            for name in ("weight", "bias", "running_mean", "running_var"):
                arrays[f"{len(arrays)}.{name}"] = random.uniform(0.5, 1.5, shapes[0]).astype(np.float32)
            arrays[f"{len(arrays)}.num_batches_tracked"] = np.array(0)
        elif kind in ("Conv2D", "DepthwiseConv2D"):
            high, wide, before, after = shapes[0] if layer.name != "stem" else (3, 3, 3, 32)
            kernel = random.normal(0, 0.1, (high, wide, before, after)).astype(np.float32)
            arrays[f"{len(arrays)}.weight"] = (
                kernel.transpose(2, 3, 0, 1) if "Depth" in kind else kernel.transpose(3, 2, 0, 1)
            )
    return arrays | {"_fc.weight": np.zeros((1000, 1280), np.float32), "_fc.bias": np.zeros(1000, np.float32)}


def test_imagenet_s_weights_are_read_without_pytorch(tmp_path: Path) -> None:
    wanted = _weights(np.random.default_rng(3))
    arrays = read_torch(_Torch(wanted).save(tmp_path / "weights.pth"))
    assert list(arrays) == list(wanted)
    assert all((arrays[name] == array).all() for name, array in wanted.items())
    network = convert(arrays)
    stem, first = wanted["0.weight"], next(array for name, array in wanted.items() if array.shape == (32, 1, 3, 3))
    assert network.get_layer("stem").get_weights()[0] == pytest.approx(stem.sum(axis=1).transpose(1, 2, 0)[:, :, None])
    depthwise = next(layer for layer in network.layers if type(layer).__name__ == "DepthwiseConv2D")
    assert (depthwise.get_weights()[0][:, :, :, 0] == first[:, 0].transpose(1, 2, 0)).all()


def test_a_file_of_weights_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few, random = {"a": np.ones(3, np.float32)}, np.random.default_rng(3)
    with pytest.raises(DataError, match=r"os\.system is no part of weights"):
        read_torch(_Torch(few).save(tmp_path / "evil.pth", "os system"))
    (tmp_path / "cut.pth").write_bytes(_Torch(few).save(tmp_path / "whole.pth").read_bytes()[:-6])
    (tmp_path / "text.pth").write_text("no weights")
    for few_or_many in ({"a": np.ones((32, 3, 3, 3), np.float32)}, _weights(random) | {"more": np.ones(3, np.float32)}):
        with pytest.raises(DataError, match=r"^the weights are"):
            convert(few_or_many)
    for name in ("cut.pth", "text.pth", "none.pth"):
        assert main([str(tmp_path / name), str(tmp_path / "out.weights.h5")]) == 1
        error = capsys.readouterr().err
        assert error.startswith("training: not PyTorch's weights: ")
        assert error.count("\n") == 1


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_configuration_is_one_that_can_be_trained(path: Path) -> None:
    config = load_config(path)
    assert config.network in NETWORKS
    network = NETWORKS[config.network](config.share)
    for phase in config.phases:
        assert network(FACES[:1, : phase.size, : phase.size], training=False).shape[0] == 1
    replace(Augmentation(), **(config.augmentation or {}))
