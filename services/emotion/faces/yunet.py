"""YuNet (Wu, Peng and Yu, "YuNet: a tiny millisecond-level face detector", 2023) through ONNX Runtime.

Set-up fetches the weights (``weights``); the user may name another file, whose input may have any size. Boxes are made
square like the Haar cascade's, since the mood model has learnt such crops.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from moodstream.errors import MoodstreamError
from services.emotion.faces.boxes import Box, distinct, largest_first, scaled
from services.emotion.faces.decode import Grey
from services.emotion.faces.patches import back_in_frame, cut, shrunk
from services.emotion.faces.weights import FILE, PACKAGE, own_weights, packaged_weights

STRIDES = (8, 16, 32)
OUTPUTS = [f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in STRIDES]
SQUARE = 0.92
"""Side of the Haar cascade's square, as a fraction of the height of YuNet's box (median over photographs)."""
SURE = 0.6
MAX_TURN = 0.35
"""How far the nose may be from the middle between the eyes, in distances between the eyes."""


class YuNetDetector:
    """Detects faces, also turned and leaning ones, with the weights in a file, or with those of a package.

    Raises MoodstreamError when the file is missing or not a YuNet model.
    """

    FINE_SIDE, COARSE_SIDE, FACE_PX = 640, 320, 56

    def __init__(self, path: Path | None = None, package: str = PACKAGE) -> None:
        weights = packaged_weights(package) if path is None else own_weights(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # patches and frames vary in size
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
            self._input = self._session.get_inputs()[0].name
            self._detect(np.zeros((64, 96), np.uint8))
        except Exception as error:  # onnxruntime's errors have no common class of their own
            raise MoodstreamError(
                f"not the weights of YuNet for any size: {path or FILE} ({type(error).__name__})"
            ) from None

    def find_faces(self, grey: Grey) -> list[Box]:
        """Boxes of the faces in a picture uint8[H, W], largest first."""
        return self._whole(grey, self.FINE_SIDE)

    def find_faces_fast(self, grey: Grey) -> list[Box]:
        """The same at half the resolution."""
        return self._whole(grey, self.COARSE_SIDE)

    def find_face_near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None:
        """The face that was in a box: moved by up to ``reach`` sides, its size changed by up to ``spread``."""
        patch = cut(grey, box, reach, self.FACE_PX)
        least, most = self.FACE_PX / spread, self.FACE_PX * spread
        for found in self._detect(patch):
            if least <= found.width <= most:
                return back_in_frame(box, found, len(patch), box.width / self.FACE_PX)
        return None

    def _whole(self, grey: Grey, longer_side: int) -> list[Box]:
        small, scale = shrunk(grey, longer_side)
        return largest_first(scaled(box, 1 / scale) for box in self._detect(small))

    def _detect(self, grey: Grey) -> list[Box]:
        """Square boxes, the most confident first."""
        height, width = (-(-side // 32) * 32 for side in grey.shape)
        padded = np.zeros((height, width), np.float32)
        padded[: grey.shape[0], : grey.shape[1]] = grey
        picture = np.broadcast_to(padded, (1, 3, height, width))
        answer = self._session.run(OUTPUTS, {self._input: np.ascontiguousarray(picture)})
        found = [
            _boxes([answer[part + level][0] for part in (0, 3, 6, 9)], width // stride, stride)
            for level, stride in enumerate(STRIDES)
        ]
        rows = np.concatenate(found)
        return distinct(_square(row) for row in rows[np.argsort(-rows[:, 4])])


def _boxes(level: Sequence[NDArray[np.float32]], columns: int, stride: int) -> NDArray[np.float32]:
    """Rows (x, y of the centre, height, turn, score) of one output level that are confident enough."""
    classes, objects, boxes, points = level
    scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
    sure = np.flatnonzero(scores >= SURE)
    place = np.stack([sure % columns, sure // columns], axis=1)
    centre = (place + boxes[sure, :2]) * stride
    height = np.exp(boxes[sure, 3]) * stride
    right_eye, left_eye, nose = points[sure, 0:2], points[sure, 2:4], points[sure, 4:6]
    eyes = left_eye - right_eye
    along = np.sum((nose - right_eye) * eyes, axis=1) / np.maximum(np.sum(eyes * eyes, axis=1), 1e-6)
    rows = np.stack([centre[:, 0], centre[:, 1], height, np.abs(along - 0.5), scores[sure]], axis=1)
    return np.asarray(rows, np.float32)


def _square(row: NDArray[np.float32]) -> Box:
    x, y, height, turn = (float(value) for value in row[:4])
    side = max(1, round(SQUARE * height))
    corner = round(x - side / 2), round(y + 0.02 * height - side / 2)
    return Box(*corner, side, side, turned=turn > MAX_TURN)
