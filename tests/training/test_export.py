"""From data to file: a tiny network is trained, taught, exported and evaluated, and the files equal Keras."""

import json
import logging
import os
import subprocess
import sys
import warnings
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from services.emotion.faces.classifier import Classifier
from tests.support.needs import missing

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from training import evaluate, export, smoke, train
        from training.backends import keras
        from training.config import CONFIGS, Phase, load_config
        from training.data import FOUR, PUBLIC_TEST, DataError, load
        from training.lesson import Lesson, targets_of
        from training.measures import Calibration
        from training.networks import NETWORKS, calibrated
        from training.networks.residual import middle, residual
        from training.quantise import quantise
        from training.rewrite import without_scaling
        from training.runs import HISTORY, best_of
        from training.teachers import Teachers
except ImportError:
    missing("tensorflow (make setup-train)")

logging.getLogger("tf2onnx").setLevel(logging.ERROR)
pytestmark = pytest.mark.filterwarnings("ignore")

PUPIL = Path(export.__file__).parent / "accelerator" / "pupils" / "middle.toml"
FACES = np.random.default_rng(7).integers(0, 256, (64, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one whole smoke run."""
    folder = tmp_path_factory.mktemp("smoke")
    assert smoke.main(["--out", str(folder), "--tiny"]) == 0
    return folder


def rows(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / HISTORY).read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_the_exported_file_keeps_the_contract_and_tells_its_story(made: Path) -> None:
    classifier = Classifier(made / "mood_cnn.onnx")
    assert classifier.name == "mood_cnn 0"
    training, metrics = (json.loads(classifier.metadata[name]) for name in ("training", "metrics"))
    assert training["network"] == "tiny"
    assert metrics["PublicTest"]["accuracy"] >= smoke.MIN_ACCURACY
    assert 0.25 <= float(classifier.metadata["unsure_below"]) <= 0.95
    assert classifier.metadata["precision"] == "int8"
    assert str(made) not in json.dumps(classifier.metadata), "no path of the machine that trained"


def test_float_equals_keras_and_int8_is_near(made: Path) -> None:
    public = load(made / "gratings.npz").moods()[PUBLIC_TEST]
    as_float, as_int8 = (Classifier(made / "pupil" / name) for name in (export.FLOAT, export.INT8))
    calibration = Calibration(**json.loads(as_float.metadata["calibration"]))
    model = calibrated(best_of(made / "pupil"), calibration, mirrored=True)
    assert export.largest_difference(model, made / "pupil" / export.FLOAT, public.images) <= export.PARITY
    right = [(evaluate.read(one, public).argmax(axis=1) == public.labels).mean() for one in (as_float, as_int8)]
    assert abs(right[0] - right[1]) <= 0.02


def test_the_shipped_network_s_kind_survives_the_way_to_int8(tmp_path: Path) -> None:
    """Untrained weights: the float file equals Keras, int8 is near it, in a third, and a mirror changes nothing."""
    model = calibrated(middle(), mirrored=True)
    onnx.save(export.to_onnx(model, {"labels": '["angry", "happy", "sad", "calm"]'}), tmp_path / "float.onnx")
    assert export.largest_difference(model, tmp_path / "float.onnx", FACES) <= export.PARITY
    quantise(tmp_path / "float.onnx", tmp_path / "int8.onnx", FACES)
    exact, rough = (Classifier(tmp_path / name).probabilities(FACES) for name in ("float.onnx", "int8.onnx"))
    assert np.abs(exact - rough).max() < 0.05
    for name in ("float.onnx", "int8.onnx"):
        file = Classifier(tmp_path / name)
        assert file.probabilities(FACES[:, :, ::-1]) == pytest.approx(file.probabilities(FACES), abs=1e-6)
    assert os.path.getsize(tmp_path / "int8.onnx") < os.path.getsize(tmp_path / "float.onnx") / 3


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("name", "scale", "zero_point"), [("middle", 1 / 128, 128), ("article", 1 / 255, 0)])
def test_the_int8_file_takes_grey_levels_as_they_are(
    name: str, scale: float, zero_point: int, mirrored: bool, tmp_path: Path
) -> None:
    model = calibrated(NETWORKS[name](), mirrored=mirrored)
    onnx.save(export.to_onnx(model, {"labels": "[]"}), tmp_path / "float.onnx")
    quantise(tmp_path / "float.onnx", tmp_path / "int8.onnx", FACES)
    graph = onnx.load(tmp_path / "int8.onnx").graph
    assert ("Concat" in {node.op_type for node in graph.node if "faces" in node.input}) == mirrored
    assert not {"Cast", "Mul", "Add"} & {node.op_type for node in graph.node if "rescaling" in node.name}
    first = next(node for node in graph.node if node.op_type == "DequantizeLinear" and "quantized" not in node.input[0])
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    assert constants[first.input[1]] == np.float32(scale)
    assert constants[first.input[2]] == zero_point


def test_what_saves_time_changes_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pooling before a 1x1 convolution and empty reshapes go; where a mean at the border has fewer places it stays."""
    model = calibrated(residual())
    short = export.to_onnx(model, {"labels": '["angry", "happy", "sad", "calm"]'})
    monkeypatch.setattr(export, "simplify", lambda proto: None)
    long = export.to_onnx(model, {"labels": '["angry", "happy", "sad", "calm"]'})
    kinds = [Counter(node.op_type for node in one.graph.node) for one in (long, short)]
    assert [one["AveragePool"] for one in kinds] == [3, 1]
    assert kinds[0]["Reshape"] > 6  # tf2onnx itself drops one of them at times
    assert kinds[1]["Reshape"] == 1
    for one, path in ((long, tmp_path / "long.onnx"), (short, tmp_path / "short.onnx")):
        onnx.save(one, path)
    readings = [Classifier(tmp_path / name).probabilities(FACES) for name in ("long.onnx", "short.onnx")]
    assert readings[1] == pytest.approx(readings[0], abs=1e-6)


def test_a_network_that_scales_no_grey_level_to_zero_is_not_quantised() -> None:
    faces = keras.Input((48, 48, 1))
    network = keras.layers.Dense(4)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255, offset=2.0)(faces)))
    with pytest.raises(ValueError, match="no grey level"):
        without_scaling(export.to_onnx(calibrated(keras.Model(faces, network)), {}))


def test_a_run_leaves_its_figures_and_pictures(made: Path) -> None:
    folder = made / "pupil" / "report"
    report = json.loads((folder / "report.json").read_text())["PublicTest"]
    assert report["intervals_95"]["accuracy"][0] <= report["accuracy"] <= report["intervals_95"]["accuracy"][1]
    assert report["calibration_error_cross_fitted"] < 0.2
    assert report["accuracy_when_worn"]["as it is"] == report["accuracy"]
    assert len(set(report["accuracy_when_worn"].values())) > 1
    pictures = {"curves", "PublicTest-confusion", "PublicTest-classes", "PublicTest-reliability"}
    assert pictures | {"PublicTest-risk-coverage"} == {one.stem for one in folder.glob("*.png")}
    light = report["by_light"]
    assert set(light) == {"mean grey level", "deviation of the grey levels"}
    for quarters in light.values():
        assert len(quarters) == 4
        assert all(one["to"] <= other["from"] for one, other in pairwise(quarters))
        assert np.mean([one["accuracy"] for one in quarters]) == pytest.approx(report["accuracy"], abs=0.001)
    data = json.loads((made / "data" / "report.json").read_text())
    assert sum(data["per_cent"]["Training"].values()) == pytest.approx(100, abs=0.4)
    assert data["of_four_moods"] == {"Training": 640, "PublicTest": 160}
    assert data["ferplus"]["agreement"] == 1
    assert {"distribution", "samples", "ferplus"} <= {one.stem for one in (made / "data").glob("*.png")}
    assert all(one.read_bytes().startswith(b"\x89PNG") for one in made.rglob("*.png"))


def test_a_pupil_names_its_teachers_and_a_teacher_changes_what_is_learnt(made: Path) -> None:
    config = json.loads((made / "pupil" / "config.json").read_text())
    assert config["teachers"] == [str(made / "teacher.onnx")]
    given = ["--data", str(made / "gratings.npz"), "--network", "tiny", "--seed", "2", "--until", "1"]
    assert train.main([*given, "--out", str(made / "alone")]) == 0
    assert rows(made / "alone")[0]["training_loss"] != rows(made / "pupil")[0]["training_loss"]


def test_teachers_answer_with_their_mean_to_the_face_and_its_mirror_image(made: Path) -> None:
    """Faces of another size are brought to the network's; temperature 2 is the root, shared out over the four moods."""
    files = [made / "teacher.onnx", made / "mood_cnn.onnx"]
    answers = np.asarray(Teachers(files, 2.0)(FACES[..., None].astype(np.float32)))
    views = [Classifier(file).probabilities(view) for file in files for view in (FACES, FACES[:, :, ::-1])]
    flat = np.sqrt(np.mean(views, axis=0))
    assert answers[:, FOUR] == pytest.approx(flat / flat.sum(axis=1, keepdims=True), abs=1e-6)
    assert answers.sum(axis=1) == pytest.approx(1.0)
    assert Teachers(files, 2.0)(np.zeros((2, 36, 36, 1), np.float32)).shape == (2, 7)


def test_a_run_teaches_without_a_file_and_both_views_count_alike(made: Path) -> None:
    """A run's answers are those of its network, which no calibration changes."""
    faces = FACES[..., None].astype(np.float32)
    views = faces, faces[:, :, ::-1]
    network = calibrated(best_of(made / "teacher"))
    both = np.asarray(Teachers([made / "teacher"], 1.0)(faces))[:, FOUR]
    assert both == pytest.approx(np.mean([np.asarray(network(view)) for view in views], axis=0), abs=1e-5)
    one = Teachers([made / "teacher"], 1.0, mirrored=False)
    assert np.asarray(one(faces))[:, FOUR] == pytest.approx(np.asarray(network(faces)), abs=1e-5)


def test_only_where_the_four_moods_are_learnt_have_teachers_a_say(made: Path) -> None:
    faces = load(made / "gratings.npz").training(0.0)
    config = load_config(CONFIGS / "tiny.toml").model_copy(update={"augmentation": None})
    images, losses = faces.images[:64, ..., None], {}
    for kind in ("moods", "all", "taught"):
        phase = Phase(epochs=1, faces=kind)
        targets = targets_of(faces, phase, 0.0)
        for place in (None, made / "teacher.onnx", made / "teacher"):
            lesson = Lesson(best_of(made / "pupil"), config, phase, Teachers([place] if place else [], 1.5))
            lesson.begin(1)
            losses[kind, place] = float(lesson(images, targets[:64])[0])
    assert len({loss for (kind, _), loss in losses.items() if kind == "all"}) == 1
    assert len({loss for (kind, _), loss in losses.items() if kind == "moods"}) == 3


def test_a_face_of_another_expression_has_no_target_of_its_own_where_the_moods_are_taught(made: Path) -> None:
    faces = load(made / "gratings.npz").training(0.3)
    targets = targets_of(faces, Phase(epochs=1, faces="taught"), 0.1)
    assert targets[faces.moods].sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert not targets[~faces.moods].any()
    assert targets[faces.moods][:, FOUR].min() == pytest.approx(0.1 / 4, abs=1e-6)
    assert not targets[:, [one for one in range(7) if one not in FOUR]].any()


def test_a_stopped_run_goes_on_as_if_it_had_never_stopped(made: Path, tmp_path: Path) -> None:
    given = ["--data", str(made / "gratings.npz"), "--network", "tiny", "--out", str(tmp_path / "run")]
    for until in ([], ["--until", "2"])[::-1]:
        assert train.main([*given, *until]) == 0
    assert rows(tmp_path / "run") == rows(made / "teacher")


def test_a_run_begun_on_jax_goes_on_with_tensorflow(made: Path, tmp_path: Path) -> None:
    given = ["--data", str(made / "gratings.npz"), "--network", "tiny", "--out", str(tmp_path / "run")]
    begin = [sys.executable, "-m", "training.train", *given, "--until", "2"]
    done = subprocess.run(
        begin, env=os.environ | {"KERAS_BACKEND": "jax"}, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    begun = rows(tmp_path / "run")
    assert train.main(given) == 0
    assert rows(tmp_path / "run")[:2] == begun
    assert rows(tmp_path / "run")[-1]["accuracy"] >= smoke.MIN_ACCURACY


def test_another_configuration_needs_another_folder(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--data", str(made / "gratings.npz"), "--network", "tiny", "--out", str(made / "teacher")]
    assert train.main([*given, "--seed", "9"]) == 1
    assert "another configuration" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--network", "none"], "there are article, densenet, efficientnet, finish, inception, long, middle, tiny"),
        (["--network", "tiny", "--teacher", "nowhere"], "not a teacher: the model is missing: nowhere"),
        (["--network", "tiny", "--start", "nowhere"], "cannot begin with nowhere: "),
        (["--config", str(PUPIL)], "needs a teacher"),
        (
            ["--config", str(PUPIL.parents[1] / "teachers" / "wide_all.toml"), "--data", "few.npz"],
            "no such training data",
        ),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    made: Path, tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--data", str(made / "gratings.npz"), "--out", str(tmp_path), *arguments]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_misspelt_configuration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text((CONFIGS / "tiny.toml").read_text().replace("batch", "bach"))
    with pytest.raises(DataError, match="bach"):
        load_config(path)


def test_a_folder_without_a_run_is_one_line(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["--run", str(tmp_path), "--data", str(made / "gratings.npz"), "--out", "x.onnx"]) == 1
    assert "not the folder of a run" in capsys.readouterr().err
