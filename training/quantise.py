"""A float ONNX file to int8: static, per channel, with the ranges that Training's faces give.

The input is the grey levels themselves, which are scaled faces already quantised.
Weights use 7 of their 8 bits: processors without VNNI add pairs of products in 16 bits, which full ones overflow.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from training.rewrite import take_levels, without_scaling

CALIBRATION_FACES = 1024
_BATCH = 32


Batch = Mapping[str, NDArray[np.float32]]
"""by input; all batches are of one size, as ONNX Runtime wants them"""
Nodes = Sequence[onnx.NodeProto]


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> Batch | None:
        return next(self._batches, None)


def static_int8(source: Path, out: Path, batches: Iterable[Batch], excluded: Callable[[Nodes], Nodes]) -> None:
    """Write the int8 form of a file, with the ranges that the batches give; ``excluded`` nodes stay as they are."""
    with tempfile.TemporaryDirectory(prefix="moodstream-int8-") as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        with redirect_stdout(sys.stderr):  # the collector prints its progress
            quantize_static(
                str(prepared),
                str(out),
                _Reader(batches),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                # the widest values of all inputs are few, and would cost the others their steps
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"CalibPercentile": 99.999},
                nodes_to_exclude=[node.name for node in excluded(nodes)],
            )


def quantise(source: Path, out: Path, faces: NDArray[np.uint8], seed: int = 1) -> None:
    """Write the int8 form of the file ``source``; ``faces`` uint8[N, 48, 48] are Training's. Keeps the metadata."""
    chosen = faces[np.random.default_rng(seed).permutation(len(faces))[:CALIBRATION_FACES]]
    model = onnx.load(source)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    unscaled, front = without_scaling(model)
    scaled = (chosen.astype(np.float32) - front.zero_point) * np.float32(front.scale)
    name = unscaled.graph.input[0].name
    whole = max(1, len(scaled) // _BATCH) * _BATCH
    batches = ({name: scaled[at : at + _BATCH, ..., None]} for at in range(0, min(whole, len(scaled)), _BATCH))
    with tempfile.TemporaryDirectory(prefix="moodstream-bare-") as folder:
        bare = Path(folder) / "bare.onnx"
        onnx.save(unscaled, bare)
        static_int8(bare, out, batches, _after_pooling)
    model = onnx.load(out)
    take_levels(model, front)
    onnx.helper.set_model_props(model, metadata | {"precision": "int8"})
    onnx.save(model, out)


def _after_pooling(nodes: Nodes) -> Nodes:
    """256 levels of a logit would show in the probabilities, and these few sums cost nothing."""
    pooled = max((place for place, node in enumerate(nodes) if node.op_type == "GlobalAveragePool"), default=None)
    return [] if pooled is None else nodes[pooled + 1 :]
