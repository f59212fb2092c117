"""The mood model: 48x48 grey faces in, calibrated probabilities of the four moods out."""

import json
import os
from pathlib import Path

# ONNX Runtime would keep a device id and a record of its use in the user's cache folder, and can send it to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError

MODEL = Path(__file__).parents[3] / "models" / "mood_cnn.onnx"
INPUT, OUTPUT = "faces", "probabilities"


class Classifier:
    """An ONNX file that keeps the model contract: uint8 [N, 48, 48, 1] in, float32 [N, 4] out.

    Raises MoodstreamError when the file is missing, broken, or made for other labels.
    """

    def __init__(self, path: Path = MODEL) -> None:
        if not path.is_file():
            raise MoodstreamError(f"the model is missing: {path}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # batches vary in size
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common class of their own
            raise MoodstreamError(f"the model cannot be read: {path} ({type(error).__name__})") from None
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self._refuse_other_contract(path)
        self.name = f"{self.metadata.get('name', path.stem)} {self.metadata.get('version', '?')}"
        try:
            self.unsure_below = float(self.metadata.get("unsure_below", 0))
            """a single reading with less confidence than this is wrong at least as often as right"""
        except ValueError:
            raise MoodstreamError(f"{path}: unsure_below is not a number") from None

    def _refuse_other_contract(self, path: Path) -> None:
        wanted = [str(mood) for mood in MOODS]
        try:
            labels = json.loads(self.metadata.get("labels", "null"))
        except json.JSONDecodeError:
            labels = None
        if labels != wanted:
            raise MoodstreamError(f"{path} is made for the labels {labels}, not {wanted}")
        inputs = [(one.name, one.type) for one in self._session.get_inputs()]
        outputs = [one.name for one in self._session.get_outputs()]
        if inputs != [(INPUT, "tensor(uint8)")] or outputs != [OUTPUT]:
            raise MoodstreamError(f"{path} does not take uint8 '{INPUT}' to '{OUTPUT}'")

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities float32[N, 4], in the order of ``MOODS``, of grey faces uint8[N, 48, 48]."""
        if not len(faces):
            return np.zeros((0, len(MOODS)), np.float32)
        (result,) = self._session.run([OUTPUT], {INPUT: faces[..., None]})
        return np.asarray(result, dtype=np.float32)
