"""Best weights of a run to the file that ships: ``python -m training.export --run runs/middle --data FER2013``.

The graph takes raw grey levels (uint8) and gives calibrated probabilities: cast, scaling, network, calibration and
softmax are inside. Two files are made in the run's folder: one of floats, which is refused unless it equals the Keras
network, and one of int8, which ships unless it loses half a point. The calibration is fitted on what the int8 file
answers to PublicTest.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from services.emotion.faces.classifier import INPUT, MODEL, OUTPUT, Classifier
from training.backends import keras
from training.data import PUBLIC_TEST, SIZE, TRAINING, DataError, Faces, Fer2013, in_one_line, load
from training.evaluate import read
from training.measures import (
    abstention,
    cross_fitted,
    expected_calibration_error,
    fit_calibration,
    measure,
    risk_coverage,
)
from training.networks import calibrated
from training.quantise import quantise
from training.rewrite import simplify
from training.runs import best_of, config_of

OPSET = 17
PARITY = 1e-4
"""Largest difference between the float file's probabilities and Keras's."""
INT8_MAY_LOSE = 0.005
"""Accuracy that the int8 file may lose against the float one."""
FLOAT, INT8, CHOSEN = "mood_cnn.float.onnx", "mood_cnn.int8.onnx", "mood_cnn.onnx"


def to_onnx(model: keras.Model, metadata: dict[str, str]) -> onnx.ModelProto:
    """The Keras model (grey levels -> probabilities) as an ONNX graph that keeps the model contract."""

    def graph(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: model(faces, training=False)}

    signature = (tf.TensorSpec((None, SIZE, SIZE, 1), tf.uint8, name=INPUT),)
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(tf.function(graph, input_signature=signature), signature, opset=OPSET)
    proto.graph.output[0].name, inner = OUTPUT, proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = [OUTPUT if name == inner else name for name in node.output]
    simplify(proto)
    onnx.helper.set_model_props(proto, metadata)
    onnx.checker.check_model(proto)
    return proto


def largest_difference(model: keras.Model, path: Path, faces: NDArray[np.uint8]) -> float:
    """Largest difference of any probability between Keras and the file, over faces uint8[N, 48, 48]."""
    wanted = model.predict(faces[..., None], verbose=0, batch_size=256)
    return float(np.abs(Classifier(path).probabilities(faces) - wanted).max())


def export(run: Path, data: Fer2013, version: str) -> dict[str, Any]:
    """Write the files into the run's folder and return their measures.

    Raises DataError when the float file does not equal the Keras network.
    """
    config, network, splits = config_of(run), best_of(run), data.moods()
    public = splits[PUBLIC_TEST]
    metadata = {
        "name": "mood_cnn",
        "version": version,
        "labels": json.dumps([str(mood) for mood in MOODS]),
        "input": "uint8 [N, 48, 48, 1], raw grey levels; cast and scaling are inside the graph",
        "network": config.network,
        "data": "FER2013, Training; four moods: angry, happy, sad, neutral as calm",
        "data_digest": config.data_digest,
        "training": config.model_dump_json(exclude={"start", "teachers"}),
        "reads": "apparent expression, not feelings",
        "precision": "float32",
    }
    onnx.save(to_onnx(calibrated(network, mirrored=config.mirrored), metadata), run / FLOAT)
    quantise(run / FLOAT, run / INT8, splits[TRAINING].images)
    calibration = fit_calibration(_logits(run / INT8, public), public.labels)
    model = calibrated(network, calibration, mirrored=config.mirrored)
    metadata["calibration"] = json.dumps(calibration._asdict())
    onnx.save(to_onnx(model, metadata), run / FLOAT)
    difference = largest_difference(model, run / FLOAT, public.images)
    if difference > PARITY:
        raise DataError(f"the ONNX file differs from the Keras network by {difference:.2g}")
    quantise(run / FLOAT, run / INT8, splits[TRAINING].images)
    accuracy = {
        name: measure(read(Classifier(run / file), public), public.labels)["accuracy"]
        for name, file in (("float32", FLOAT), ("int8", INT8))
    }
    chosen = INT8 if accuracy["float32"] - accuracy["int8"] <= INT8_MAY_LOSE else FLOAT
    result = {"largest_difference": difference, "accuracy_by_precision": accuracy, "file": chosen}
    return (
        result
        | {"calibration": calibration._asdict()}
        | _complete(run / chosen, run / CHOSEN, result, splits[PUBLIC_TEST])
    )


def _logits(file: Path, faces: Faces) -> NDArray[np.float32]:
    """Logits [N, 4] of a file, up to a constant for each face."""
    return np.asarray(np.log(read(Classifier(file), faces).clip(1e-9)))


def _complete(file: Path, out: Path, known: dict[str, Any], public: Faces) -> dict[str, Any]:
    """The file again, with its measures on PublicTest and its abstention threshold in the metadata."""
    probabilities = read(Classifier(file), public)
    fitted = cross_fitted(_logits(file, public), public.labels)
    unsure = abstention(risk_coverage(fitted, public.labels))
    metrics = measure(probabilities, public.labels)
    metrics["calibration_error_cross_fitted"] = round(expected_calibration_error(fitted, public.labels), 4)
    model = onnx.load(file)
    metadata = {entry.key: entry.value for entry in model.metadata_props} | {
        "metrics": json.dumps({"PublicTest": metrics}),
        "accuracy_by_precision": json.dumps(known["accuracy_by_precision"]),
        "parity_with_keras": f"{known['largest_difference']:.2g}",
        "unsure_below": f"{unsure.threshold:.2f}",
        "abstention": json.dumps({key: round(value, 4) for key, value in unsure._asdict().items()}),
    }
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, out)
    return metrics | {"abstention": unsure._asdict()}


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.export", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run of training.train")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--out", type=Path, default=MODEL, help="where the chosen file goes too (models/mood_cnn.onnx)")
    parser.add_argument("--version", default="2.4.0")
    given = parser.parse_args(arguments)
    result = export(given.run, load(given.data), given.version)
    shutil.copyfile(given.run / CHOSEN, given.out)
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
