"""The shipped model keeps the model contract: order of the labels, scaling inside the file, batch = single."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.camera.drawn.expressions import EXPRESSIONS
from services.camera.drawn.face import draw_face, place_face
from services.emotion.faces.classifier import MODEL, Classifier
from tests.support.needs import ROOT, missing
from training.data import PUBLIC_TEST, Faces, load

try:
    from training.evaluate import evaluate
except ModuleNotFoundError:
    evaluate = None  # type: ignore[assignment]

FACES = np.random.default_rng(3).integers(0, 256, (9, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.fixture(scope="module")
def public(reference: Path) -> Faces:
    return load(reference / "faces" / "fer2013_train_val.npz").moods()[PUBLIC_TEST]


def test_probabilities_are_probabilities(classifier: Classifier) -> None:
    shares = classifier.probabilities(FACES)
    assert shares.shape == (9, 4)
    assert shares.dtype == np.float32
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (shares >= 0).all()


def test_a_batch_reads_as_its_faces_do_and_twice_the_same(classifier: Classifier) -> None:
    batch = classifier.probabilities(FACES)
    single = np.concatenate([classifier.probabilities(face[None]) for face in FACES])
    assert batch == pytest.approx(single, abs=1e-5)
    assert (classifier.probabilities(FACES) == batch).all()


def test_no_faces_give_no_readings(classifier: Classifier) -> None:
    assert classifier.probabilities(np.zeros((0, 48, 48), np.uint8)).shape == (0, 4)


def test_the_file_tells_what_it_is(classifier: Classifier) -> None:
    assert json.loads(classifier.metadata["labels"]) == ["angry", "happy", "sad", "calm"]
    for name in ("name", "version", "data", "data_digest", "calibration", "metrics", "precision", "reads"):
        assert classifier.metadata[name]
    assert 0.25 < classifier.unsure_below < 0.9
    assert float(classifier.metadata["parity_with_keras"]) <= 1e-4
    by_precision = json.loads(classifier.metadata["accuracy_by_precision"])
    assert abs(by_precision["float32"] - by_precision["int8"]) <= 0.005


def test_scaling_lies_inside_the_file(classifier: Classifier) -> None:
    """Grey levels 0-255 mean something; the same faces scaled to 0-1 outside would all be black."""
    black = classifier.probabilities(np.zeros((1, 48, 48), np.uint8))
    scaled = classifier.probabilities((FACES / 255).astype(np.uint8))
    assert scaled == pytest.approx(np.repeat(black, len(FACES), axis=0), abs=0.05)
    assert np.abs(classifier.probabilities(FACES) - black).max() > 0.1


@pytest.mark.reference
def test_known_faces_pin_the_order_of_the_labels(classifier: Classifier, public: Faces) -> None:
    """Faces labelled with a mood are read as that mood more than as any other; a swapped label would show."""
    shares = classifier.probabilities(public.images)
    means = np.stack([shares[public.labels == index].mean(axis=0) for index in range(len(MOODS))])
    assert (means.argmax(axis=1) == np.arange(len(MOODS))).all()
    assert (means.argmax(axis=0) == np.arange(len(MOODS))).all()


@pytest.mark.reference
def test_the_shipped_model_reads_public_test(classifier: Classifier, public: Faces) -> None:
    if evaluate is None:
        missing("tensorflow (make setup-train)")
    result = evaluate(classifier, public)
    assert result["faces"] == 2622
    assert result["accuracy"] >= 0.755
    assert result["calibration_error"] <= 0.03
    assert result["without_copies"]["faces"] == 2622 - 104


def changed(path: Path, **metadata: str) -> Path:
    model = onnx.load(MODEL)
    kept = {entry.key: entry.value for entry in model.metadata_props} | metadata
    onnx.helper.set_model_props(model, kept)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("labels", ['["angry", "calm", "happy", "sad"]', "not JSON", ""])
def test_a_file_made_for_other_labels_is_refused(tmp_path: Path, labels: str) -> None:
    with pytest.raises(MoodstreamError, match="labels"):
        Classifier(changed(tmp_path / "other.onnx", labels=labels))


def test_a_limit_that_is_no_number_is_refused(tmp_path: Path) -> None:
    assert Classifier(changed(tmp_path / "own.onnx", unsure_below="0.5")).unsure_below == 0.5
    with pytest.raises(MoodstreamError, match="number"):
        Classifier(changed(tmp_path / "other.onnx", unsure_below="half"))


def golden() -> NDArray[np.uint8]:
    """The drawn face in the four moods, large and small, uint8[8, 48, 48]; nothing that finds faces takes part."""
    faces = []
    for scale in (0.5, 0.42):
        for mood in MOODS:
            picture = place_face(draw_face(EXPRESSIONS[mood]), (60, 55), scale, 0.03, (120, 120))
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            faces.append(cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA))
    return np.stack(faces).astype(np.uint8)


def test_golden_faces_are_read_as_ever(classifier: Classifier) -> None:
    """Other processors round int8 otherwise, by a few hundredths at most; another model needs other figures."""
    kept = json.loads((Path(__file__).parent / "golden.json").read_text())
    assert kept["model"] == classifier.name
    assert classifier.probabilities(golden()) == pytest.approx(np.array(kept["probabilities"]), abs=0.06)


def test_a_missing_or_broken_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match="missing"):
        Classifier(tmp_path / "none.onnx")
    (tmp_path / "broken.onnx").write_bytes(MODEL.read_bytes()[:1000])
    with pytest.raises(MoodstreamError, match="cannot be read") as caught:
        Classifier(tmp_path / "broken.onnx")
    assert "\n" not in str(caught.value)


def test_a_model_with_another_input_is_refused(tmp_path: Path) -> None:
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "other",
        [info("x", onnx.TensorProto.FLOAT, [None, 4])],
        [info("y", onnx.TensorProto.FLOAT, [None, 4])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, {"labels": json.dumps([str(mood) for mood in MOODS])})
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(MoodstreamError, match="uint8"):
        Classifier(tmp_path / "other.onnx")


def test_reading_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    """ONNX Runtime's own telemetry would write a device id and a record of its use into the user's folders."""
    script = """
import numpy as np
from services.camera.drawn import pattern
from services.camera.drawn.expressions import EXPRESSIONS
from services.emotion.faces.classifier import Classifier
Classifier().probabilities(np.zeros((1, 48, 48), np.uint8))
"""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT, check=True, timeout=60)
    assert list(tmp_path.rglob("*")) == []
