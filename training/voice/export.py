"""A network to the file that ships: calibration inside, int8, with its figures in the metadata."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from moodstream.contracts.moods import MOODS
from services.voice.log_mel import Floats
from services.voice.model import AROUSAL, NUMBERS_INPUT, PROBABILITIES, SPEECH, VoiceModel
from services.voice.normalise import FRAMES, INPUTS, NUMBERS_IN
from training.backends import keras, ops
from training.data import DataError
from training.measures import Calibration
from training.quantise import Nodes, static_int8
from training.voice.kernel import LIKENESS
from training.voice.lesson import Pupil

OPSET = 17
MAX_BYTES = 1_000_000
PARITY = 1e-4
"""largest difference between the float file's answers and Keras's"""
INT8_PARITY = 0.03
"""mean difference between probabilities of the int8 and the float file"""
BATCH = 32
LARGE = 100_000
"""numbers in a weight that is worth storing in half precision"""


def to_onnx(network: keras.Model, calibration: Calibration, arousal: tuple[float, float]) -> onnx.ModelProto:
    """The network as a graph that keeps the contract of ``VoiceModel``; ``arousal`` scales and shifts its logit."""

    def graph(speech: tf.Tensor, numbers: tf.Tensor) -> dict[str, tf.Tensor]:
        answer = network([speech, numbers], training=False)
        moods = answer[:, : len(MOODS)]
        moods = moods - ops.mean(moods, axis=1, keepdims=True)
        moods = moods * np.array(calibration.scales, np.float32) + np.array(calibration.shifts, np.float32)
        high = answer[:, len(MOODS) :] * np.float32(arousal[0]) + np.float32(arousal[1])
        return {PROBABILITIES: ops.softmax(moods), AROUSAL: ops.tanh(high / 2)}

    signature = (
        tf.TensorSpec((None, FRAMES, INPUTS), tf.float32, name=SPEECH),
        tf.TensorSpec((None, NUMBERS_IN), tf.float32, name=NUMBERS_INPUT),
    )
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(tf.function(graph, input_signature=signature), signature, opset=OPSET)
    names = {
        output.name: PROBABILITIES if output.type.tensor_type.shape.dim[1].dim_value == len(MOODS) else AROUSAL
        for output in proto.graph.output
    }
    for node in proto.graph.node:
        node.output[:] = [names.get(name, name) for name in node.output]
        node.input[:] = [names.get(name, name) for name in node.input]
    for output in proto.graph.output:
        output.name = names[output.name]
    onnx.checker.check_model(proto)
    return proto


def export(
    pupil: Pupil,
    calibration: Calibration,
    arousal: tuple[float, float],
    told: Mapping[str, str],
    given: tuple[Floats, Floats],
    out: Path,
) -> dict[str, float]:
    """Write the int8 file. ``given`` are inputs that show its ranges. Returns how far its answers are from Keras's.

    Raises DataError when the float file differs from Keras, int8 costs too much, or the file is too large.
    """
    metadata = dict(told) | {
        "labels": json.dumps([str(mood) for mood in MOODS]),
        "usual": json.dumps({name: [round(float(x), 5) for x in one] for name, one in vars(pupil.usual).items()}),
        "calibration": json.dumps({**calibration._asdict(), "arousal": arousal}),
        "reads": "how a voice sounds, not what anybody feels",
        "precision": "int8",
    }
    with tempfile.TemporaryDirectory(prefix="moodstream-voice-") as folder:
        single, small = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        proto = to_onnx(pupil.network, calibration, arousal)
        onnx.helper.set_model_props(proto, metadata)
        onnx.save(proto, single)
        rows = slice(0, len(given[0]) // BATCH * BATCH)
        parts = [
            {SPEECH: given[0][at : at + BATCH], NUMBERS_INPUT: given[1][at : at + BATCH]}
            for at in range(0, rows.stop, BATCH)
        ]
        static_int8(single, small, parts, _not_worth_it)
        model = onnx.load(small)
        in_half_precision(model)
        onnx.helper.set_model_props(model, metadata)
        onnx.save(model, small)
        exact, _ = VoiceModel(single).answers(*given)
        quick, _ = VoiceModel(small).answers(*given)
        wanted = _calibrated(pupil.network, calibration, given)
        found = {
            "float_to_keras": float(np.abs(exact - wanted).max()),
            "int8_to_float_mean": float(np.abs(quick - exact).mean()),
            "int8_same_mood": float((quick.argmax(axis=1) == exact.argmax(axis=1)).mean()),
            "bytes": float(small.stat().st_size),
        }
        if found["float_to_keras"] > PARITY or found["int8_to_float_mean"] > INT8_PARITY or found["bytes"] > MAX_BYTES:
            raise DataError(f"{out.name} is not as good as its network, or too large: {found}")
        out.write_bytes(small.read_bytes())
    return found


def in_half_precision(model: onnx.ModelProto) -> None:
    """Large weights that are exact in half precision are stored so, and made float32 when the file is loaded."""
    for stored in list(model.graph.initializer):
        if stored.data_type != onnx.TensorProto.FLOAT or np.prod(stored.dims) < LARGE:
            continue
        values = onnx.numpy_helper.to_array(stored)
        if (values.astype(np.float16) != values).any():
            continue
        half = f"{stored.name}_half"
        model.graph.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float16), half))
        model.graph.initializer.remove(stored)
        model.graph.node.insert(0, onnx.helper.make_node("Cast", [half], [stored.name], to=onnx.TensorProto.FLOAT))


def _calibrated(network: keras.Model, calibration: Calibration, given: tuple[Floats, Floats]) -> Floats:
    answer = np.asarray(network.predict(list(given), verbose=0, batch_size=128))
    moods = calibration.apply(answer[:, : len(MOODS)])
    shares = np.exp(moods - moods.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _not_worth_it(nodes: Nodes) -> Nodes:
    """Only convolutions and dense layers are worth it, and the likeness to voices that were met loses by it."""
    worth = [
        node.name
        for node in nodes
        if node.op_type in {"Conv", "MatMul", "Gemm"} and node.name and LIKENESS not in node.name
    ]
    return [node for node in nodes if node.name not in worth]
