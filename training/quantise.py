"""A float ONNX file to int8: static, per channel, with the ranges that Training's faces give.

The input is the grey levels themselves, which are scaled faces already quantised.
Weights use 7 of their 8 bits: processors without VNNI add pairs of products in 16 bits, which full ones overflow.
"""

import sys
import tempfile
from collections.abc import Iterator
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


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, name: str, faces: NDArray[np.float32]) -> None:
        whole = max(1, len(faces) // _BATCH) * _BATCH  # ONNX Runtime wants batches of one size
        parts = (faces[start : start + _BATCH, ..., None] for start in range(0, min(whole, len(faces)), _BATCH))
        self._parts: Iterator[dict[str, NDArray[np.float32]]] = ({name: part} for part in parts)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._parts, None)


def quantise(source: Path, out: Path, faces: NDArray[np.uint8], seed: int = 1) -> None:
    """Write the int8 form of the file ``source``; ``faces`` uint8[N, 48, 48] are Training's. Keeps the metadata."""
    chosen = faces[np.random.default_rng(seed).permutation(len(faces))[:CALIBRATION_FACES]]
    model = onnx.load(source)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    unscaled, front = without_scaling(model)
    scaled = (chosen.astype(np.float32) - front.zero_point) * np.float32(front.scale)
    with tempfile.TemporaryDirectory(prefix="moodstream-int8-") as folder:
        bare, prepared = Path(folder) / "bare.onnx", Path(folder) / "prepared.onnx"
        onnx.save(unscaled, bare)
        quant_pre_process(str(bare), str(prepared), skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        pooled = max((place for place, node in enumerate(nodes) if node.op_type == "GlobalAveragePool"), default=None)
        with redirect_stdout(sys.stderr):  # the collector prints its progress
            quantize_static(
                str(prepared),
                str(out),
                _Reader(unscaled.graph.input[0].name, scaled),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                # the widest values of all faces are few, and would cost the others their steps
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"CalibPercentile": 99.999},
                # 256 levels of a logit would show in the probabilities, and these few sums cost nothing
                nodes_to_exclude=[] if pooled is None else [node.name for node in nodes[pooled + 1 :]],
            )
    model = onnx.load(out)
    take_levels(model, front)
    onnx.helper.set_model_props(model, metadata | {"precision": "int8"})
    onnx.save(model, out)
