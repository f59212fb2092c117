"""From data to file: a tiny network is trained and exported, and the files equal Keras."""

import json
import logging
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.emotion.classifier import MODEL, Classifier
from tests.conftest import missing

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import onnx

        from training import export, train
        from training.networks import article, with_temperature
except ImportError:
    missing("tensorflow (make setup-train)")

logging.getLogger("tf2onnx").setLevel(logging.ERROR)
pytestmark = pytest.mark.filterwarnings("ignore")

FACES = np.random.default_rng(7).integers(0, 256, (64, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces that a network can tell apart: the mood is the brightness."""
    random = np.random.default_rng(11)
    labels = np.tile([0, 3, 4, 6], 100)
    level = np.select([labels == 0, labels == 3, labels == 4], [30, 90, 150], 210)
    images = random.normal(level[:, None, None], 8, (400, 48, 48)).clip(0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("data") / "fer.npz"
    np.savez(path, images=images, labels=labels, usage=(np.arange(400) >= 320).astype(int))
    return path


def test_training_and_export_end_in_a_file_that_keeps_the_contract(data: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "tiny.onnx"
    arguments = ["--data", str(data), "--network", "tiny", "--out", str(run), "--learning-rate", "0.01"]
    assert train.main([*arguments, "--epochs", "12", "--batch", "32"]) == 0
    assert train.main([*arguments, "--epochs", "13", "--batch", "32"]) == 1, "another configuration in the same folder"
    result = export.export(run, data, out, "0.0.1")
    assert result["largest_difference"] <= 1e-4
    assert result["accuracy"] >= 0.9
    classifier = Classifier(out)
    assert classifier.name == "mood_cnn 0.0.1"
    assert json.loads(classifier.metadata["training"])["network"] == "tiny"


def test_the_shipped_file_equals_the_keras_network(tmp_path: Path) -> None:
    """The file's own weights, put into the Keras network, read every face as the file does."""
    model = onnx.load(MODEL)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["network"] == "article"
    network = article()
    weighted = [layer for layer in network.layers if layer.get_weights()]
    for layer, weights in zip(weighted, _weights(model), strict=True):
        layer.set_weights(weights)
    keras_reads = with_temperature(network, float(metadata["temperature"])).predict(
        FACES[..., None].astype(np.float32), verbose=0
    )
    assert np.abs(Classifier(MODEL).probabilities(FACES) - keras_reads).max() <= 1e-4


def _weights(model: "onnx.ModelProto") -> list[list[NDArray[np.float32]]]:
    """Kernel and bias of each layer, in the order of the graph and in Keras's layout."""
    arrays = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    found, nodes = [], list(model.graph.node)
    for node, after in pairwise(nodes):
        if node.op_type == "Conv":
            found.append([arrays[node.input[1]].transpose(2, 3, 1, 0), arrays[node.input[2]]])
        elif node.op_type == "MatMul":
            found.append([arrays[node.input[1]], arrays[after.input[1]]])
    return found
