"""YuNet (Wu, Peng and Yu, "YuNet: a tiny millisecond-level face detector", 2023) through ONNX Runtime.

Set-up fetches the weights (``weights``); the user may name another file, whose input may have any size. Boxes are made
square like the Haar cascade's, since the mood model has learnt such crops. Of the five landmarks the eyes say how far a
face leans, and the nose between them whether it looks to the side; crops centred on landmarks were read no better than
those of the box.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import atan2, cos, degrees, exp, sin
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from moodstream.errors import MoodstreamError
from services.emotion.faces.boxes import Box, distinct, largest_first, scaled
from services.emotion.faces.decode import Grey
from services.emotion.faces.patches import back_in_frame, cut, grey_of, shrunk
from services.emotion.faces.weights import WEIGHTS, own_weights, packaged_weights

STRIDES = (8, 16, 32)
OUTPUTS = [f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in STRIDES]
SQUARE, DOWN = 0.92, 0.02
"""Side of the Haar cascade's square, and how far its middle lies below that of YuNet's box, as fractions of the height
of YuNet's (medians over photographs)."""
SURE, SURE_LEANING = 0.6, 0.7
"""Minimum scores of a face in the picture as it is, and in a turned copy of it."""
TILT_DEG = 30
"""YuNet finds faces that lean by up to about 30 degrees; two turned copies of the picture reach beyond 50. At 40 they
would find more where there is nobody."""
MAX_TURN = 0.35
"""How far the nose may be from the middle between the eyes, in distances between the eyes."""
UPRIGHT_DEG = 10
"""A face that leans by less is read as it is; from 20 on the mood model reads it better when it is set upright."""
POSE = (0, 1, 2)
"""Of the landmarks the person's right eye (the left one in the picture), the left one, and the nose."""

Floats = NDArray[np.float32]


class YuNetDetector:
    """Detects faces, also turned and leaning ones, with the weights in a file, or with those of a package.

    Raises MoodstreamError when the file is missing or not a YuNet model.
    """

    FINE_SIDE, COARSE_SIDE = 640, 320
    """The longer side to which frames are scaled down before a search."""
    NEAR_SIDES, MIN_NEAR_FACE = (64, 96, 128), 38
    """A followed face is searched in a square of the first of these sides in which its box has this many pixels."""

    def __init__(self, path: Path | None = None, package: str | None = None) -> None:
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
                f"not the weights of YuNet for any size: {path or WEIGHTS.path} ({type(error).__name__})"
            ) from None

    def find_faces(self, grey: Grey) -> list[Box]:
        """Boxes of the faces in a picture uint8[H, W], largest first; without any, those that lean far."""
        return self._whole(grey, self.FINE_SIDE) or self._leaning(grey)

    def find_faces_fast(self, grey: Grey) -> list[Box]:
        """The same at half the resolution."""
        return self._whole(grey, self.COARSE_SIDE)

    def find_face_near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None:
        """The face that was in a box: moved by up to ``reach`` sides, its size changed by up to ``spread``."""
        fitting = (int(side / (1 + 2 * reach)) for side in self.NEAR_SIDES)
        face_px = next((px for px in fitting if px >= self.MIN_NEAR_FACE), self.MIN_NEAR_FACE)
        patch = cut(grey, box, reach, face_px)
        least, most = face_px / spread, face_px * spread
        for found in self._detect(patch):
            if least <= found.width <= most:
                return _upright(back_in_frame(box, found, len(patch), box.width / face_px), found.tilt_deg)
        return None

    def _whole(self, grey: Grey, longer_side: int) -> list[Box]:
        small, scale = shrunk(grey, longer_side)
        return largest_first(scaled(box, 1 / scale) for box in self._detect(small))

    def _leaning(self, grey: Grey) -> list[Box]:
        small, scale = shrunk(grey, self.COARSE_SIDE)
        height, width = small.shape
        found = []
        for tilt in (TILT_DEG, -TILT_DEG):
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
            turned = grey_of(cv2.warpAffine(small, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))
            back = cv2.invertAffineTransform(turn)
            for box in self._detect(turned, SURE_LEANING):
                x, y = back @ (*box.centre, 1)
                moved = replace(box, x=round(x - box.width / 2), y=round(y - box.height / 2))
                found.append(scaled(_upright(moved, tilt), 1 / scale))
        return distinct(largest_first(found))

    def _detect(self, grey: Grey, least: float = SURE) -> list[Box]:
        """Square boxes, the most confident first."""
        height, width = (-(-side // 32) * 32 for side in grey.shape)
        picture = np.zeros((1, 3, height, width), np.float32)
        picture[0, :, : grey.shape[0], : grey.shape[1]] = grey
        classes, objects, boxes, points = _by_part(self._session.run(OUTPUTS, {self._input: picture}))
        scores = np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1)
        sure = np.flatnonzero(scores >= least**2)
        if not len(sure):
            return []
        sure = sure[np.argsort(-scores[sure], kind="stable")]
        rows = (_grid(height, width)[sure], boxes[sure], points[sure])
        return distinct(_square(*row) for row in zip(*(one.tolist() for one in rows), strict=True))


def _by_part(outputs: Sequence[Floats]) -> list[Floats]:
    """Classes [N, 1], objects [N, 1], boxes [N, 4] and points [N, 10] of all strides, one after the other."""
    return [np.concatenate([level[0] for level in outputs[part : part + 3]]) for part in range(0, 12, 3)]


@lru_cache(maxsize=32)
def _grid(height: int, width: int) -> Floats:
    """Column, row (both in pixels) and stride [N, 3] of every place of the outputs for a picture of this size."""
    places = []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        strides = np.ones(rows.size)
        places.append(stride * np.stack([columns.ravel(), rows.ravel(), strides], axis=1))
    return np.asarray(np.concatenate(places), np.float32)


def _square(place: Sequence[float], box: Sequence[float], points: Sequence[float]) -> Box:
    """The square box of a face, from one place's outputs: offset and log size of its box, x and y of five landmarks."""
    column, row, stride = place
    height = exp(min(box[3], 10.0)) * stride
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y) = (points[2 * one : 2 * one + 2] for one in POSE)
    across, down = left_x - right_x, left_y - right_y
    along = ((nose_x - right_x) * across + (nose_y - right_y) * down) / max(across**2 + down**2, 1e-6)
    lean = atan2(down, across)
    x = column + box[0] * stride - DOWN * height * sin(lean)
    y = row + box[1] * stride + DOWN * height * cos(lean)
    side = max(1, round(SQUARE * height))
    found = Box(round(x - side / 2), round(y - side / 2), side, side, turned=abs(along - 0.5) > MAX_TURN)
    return _upright(found, round(degrees(lean)))


def _upright(box: Box, lean_deg: int) -> Box:
    """The box of a face that leans this much more than the picture in which it was found."""
    tilt = box.tilt_deg + lean_deg
    return replace(box, tilt_deg=tilt if abs(tilt) >= UPRIGHT_DEG else 0)
