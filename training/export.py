"""Best weights of a run to the ONNX file that ships: ``python -m training.export --run runs/article --data FER2013``.

The graph takes raw grey levels (uint8) and gives calibrated probabilities: cast, scaling, network, temperature and
softmax are inside. The temperature is fitted on PublicTest. The file is refused unless it equals the Keras network.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from services.emotion.classifier import INPUT, MODEL, OUTPUT, Classifier
from shared.circumplex import MOODS
from training.data import PUBLIC_TEST, SIZE, DataError, load
from training.evaluate import evaluate
from training.networks import NETWORKS, with_temperature
from training.train import BEST, CONFIG

OPSET = 17
PARITY = 1e-4
"""Largest difference between the file's probabilities and Keras's."""


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood (Guo et al., ICML 2017); logits [N, 4], labels [N]."""

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        likelihood = scaled[np.arange(len(labels)), labels] - np.log(np.exp(scaled).sum(axis=1))
        return float(-likelihood.mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def to_onnx(model: keras.Model, metadata: dict[str, str]) -> onnx.ModelProto:
    """The Keras model (float grey levels -> probabilities) as an ONNX graph that keeps the model contract."""

    def graph(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: model(tf.cast(faces, tf.float32), training=False)}

    signature = (tf.TensorSpec((None, SIZE, SIZE, 1), tf.uint8, name=INPUT),)
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(tf.function(graph, input_signature=signature), signature, opset=OPSET)
    proto.graph.output[0].name, inner = OUTPUT, proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = [OUTPUT if name == inner else name for name in node.output]
    onnx.helper.set_model_props(proto, metadata)
    onnx.checker.check_model(proto)
    return proto


def largest_difference(model: keras.Model, path: Path, faces: NDArray[np.uint8]) -> float:
    """Largest difference of any probability between Keras and the file, over faces uint8[N, 48, 48]."""
    wanted = model.predict(faces[..., None].astype(np.float32), verbose=0, batch_size=256)
    return float(np.abs(Classifier(path).probabilities(faces) - wanted).max())


def export(run: Path, data: Path, out: Path, version: str) -> dict[str, Any]:
    """Write the file and return its measures; raises DataError when it does not equal the Keras network."""
    config = json.loads((run / CONFIG).read_text())
    network = NETWORKS[config["network"]]()
    network.load_weights(run / BEST)
    public = load(data)[PUBLIC_TEST]
    logits = network.predict(public.images[..., None].astype(np.float32), verbose=0, batch_size=256)
    temperature = fit_temperature(logits, public.labels)
    model = with_temperature(network, temperature)
    metadata = {
        "name": "mood_cnn",
        "version": version,
        "labels": json.dumps([str(mood) for mood in MOODS]),
        "input": "uint8 [N, 48, 48, 1], raw grey levels; cast and scaling are inside the graph",
        "network": config["network"],
        "data": "FER2013, Training; four moods: angry, happy, sad, neutral as calm",
        "data_digest": config["data_digest"],
        "temperature": f"{temperature:.4f}",
        "training": json.dumps(config),
        "reads": "apparent expression, not feelings",
    }
    draft = out.with_suffix(".draft.onnx")
    try:
        onnx.save(to_onnx(model, metadata), draft)
        difference = largest_difference(model, draft, public.images)
        if difference > PARITY:
            raise DataError(f"the ONNX file differs from the Keras network by {difference:.2g}")
        result = evaluate(Classifier(draft), public) | {"largest_difference": difference}
        metadata["metrics"] = json.dumps(
            {"PublicTest": {key: result[key] for key in ("accuracy", "macro_f1", "recall")}}
        )
        onnx.save(to_onnx(model, metadata), draft)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return result | {"temperature": temperature}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.export", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run of training.train")
    parser.add_argument("--data", type=Path, required=True, help="FER2013: .csv, .npz or folder")
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--version", default="1.0.0")
    given = parser.parse_args(arguments)
    try:
        result = export(given.run, given.data, given.out, given.version)
    except (DataError, FileNotFoundError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
