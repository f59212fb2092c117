"""The voice model: pieces of speech in, calibrated probabilities of the four moods and arousal out."""

import json
import os
from pathlib import Path

# ONNX Runtime would keep a device id and a record of its use in the user's cache folder, and can send it to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.voice.log_mel import BANDS, Floats
from services.voice.normalise import FRAMES, INPUTS, NUMBERS_IN, Usual
from services.voice.summary import NUMBERS

_FOLDER = Path(__file__).parents[2] / "models"
VOICE_MODELS = {"research": _FOLDER / "voice.onnx", "free": _FOLDER / "voice_free.onnx"}
"""``research`` is fitted on corpora of which some are for research or non-commercial use alone; ``free`` is not."""
SPEECH, NUMBERS_INPUT = "speech", "numbers"
PROBABILITIES, AROUSAL = "probabilities", "arousal"
_INPUTS = {SPEECH: [FRAMES, INPUTS], NUMBERS_INPUT: [NUMBERS_IN]}


class VoiceModel:
    """An ONNX file that keeps the contract: frames float32 [N, FRAMES, INPUTS] and summaries float32 [N, NUMBERS_IN] in
    (``normalise``), out probabilities float32 [N, 4] in the order of ``MOODS`` and arousal float32 [N, 1] in -1..1.

    Raises MoodstreamError when the file is missing, broken, or made for other labels or another input.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise MoodstreamError(f"the voice model is missing: {path}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common class of their own
            raise MoodstreamError(f"the voice model cannot be read: {path} ({type(error).__name__})") from None
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self._refuse_other_contract(path)
        self.name = f"{self.metadata.get('name', path.stem)} {self.metadata.get('version', '?')}"
        try:
            self.usual = _usual(json.loads(self.metadata["usual"]))
            self.unsure_below = float(self.metadata["unsure_below"])
            """the probability that the likeliest mood must have, or else the model does not know"""
        except (KeyError, ValueError, TypeError):
            raise MoodstreamError(f"{path}: `usual` or `unsure_below` is missing, or not numbers") from None

    def _refuse_other_contract(self, path: Path) -> None:
        wanted = [str(mood) for mood in MOODS]
        try:
            labels = json.loads(self.metadata.get("labels", "null"))
        except json.JSONDecodeError:
            labels = None
        if labels != wanted:
            raise MoodstreamError(f"{path} is made for the labels {labels}, not {wanted}")
        inputs = {one.name: one.shape[1:] for one in self._session.get_inputs() if one.type == "tensor(float)"}
        outputs = {one.name for one in self._session.get_outputs()}
        if inputs != _INPUTS or outputs != {PROBABILITIES, AROUSAL}:
            raise MoodstreamError(f"{path} does not take {list(_INPUTS)} to {PROBABILITIES} and {AROUSAL}")

    def answers(self, speech: Floats, numbers: Floats) -> tuple[Floats, Floats]:
        """Probabilities float32[N, 4] and arousal float32[N] of frames float32[N, FRAMES, INPUTS] and summaries
        float32[N, NUMBERS_IN]."""
        given = {SPEECH: speech, NUMBERS_INPUT: numbers}
        probabilities, arousal = self._session.run([PROBABILITIES, AROUSAL], given)
        return probabilities, arousal.reshape(-1)


def _usual(told: dict[str, list[float]]) -> Usual:
    """Raises KeyError, TypeError or ValueError when it is not all there."""
    found = {name: np.array(told[name], np.float32) for name in Usual.__dataclass_fields__}
    if {name: one.shape for name, one in found.items()} != dict.fromkeys(found, (NUMBERS,)) | {"bands": (BANDS,)}:
        raise ValueError
    return Usual(**found)
