"""Why a face was read, refused or left unsure: each figure beside its limits. For people, not for the stream."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from moodstream.contracts.events import FaceRead
from services.emotion.faces import quality
from services.emotion.faces.boxes import Box, shared_area
from services.emotion.faces.decode import Grey
from services.emotion.faces.patches import crop
from services.emotion.visits.smoothing import Steadiness


@dataclass(frozen=True)
class Figure:
    """One check of a face: its value and limits."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None
    otherwise: str = ""
    """what a value outside of the limits makes of the face"""
    code: str = ""
    """the check as one word"""

    @property
    def ok(self) -> bool:
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"value": round(self.value, 4), "ok": self.ok, "told": self.as_text()}

    def as_text(self) -> str:
        bounds = (("at least", self.least), ("at most", self.most))
        limits = ", ".join(f"{word} {limit:g}" for word, limit in bounds if limit is not None)
        return f"{self.what} {self.value:.3g} ({limits})" + ("" if self.ok else f": {self.otherwise}")


def explain(grey: Grey, face: FaceRead, steadiness: Steadiness) -> list[Figure]:
    """The checks of a face in a picture uint8[H, W], in the order in which they refuse it, and how sure its mood is."""
    sureness = _sureness(sorted(face.probabilities.model_dump().values(), reverse=True), steadiness)
    return check_gates(grey, face) + sureness


def check_gates(grey: Grey, face: FaceRead) -> list[Figure]:
    """The gates of a face in a picture uint8[H, W], in the order in which they refuse it."""
    box = Box(*face.box, face.tilt_deg)
    levels = crop(grey, box).astype(np.float32)
    inside = shared_area(box, Box(0, 0, grey.shape[1], grey.shape[0])) / box.area
    detail = float(cv2.Laplacian(levels, cv2.CV_32F)[2:-2, 2:-2].var()) / max(float(levels.var()), 1e-6)
    figures = [
        Figure("side in pixels", min(box.width, box.height), quality.MIN_SIDE_PX, None, "too small", "side"),
        Figure("share inside of the picture", inside, quality.MIN_INSIDE, None, "at the border", "inside"),
        Figure(
            "brightness",
            float(levels.mean()),
            quality.DARKEST,
            quality.BRIGHTEST,
            "too dark or too bright",
            "brightness",
        ),
        Figure("contrast", float(levels.std()), quality.MIN_CONTRAST, None, "no contrast", "contrast"),
        Figure("detail", detail, quality.MIN_DETAIL, None, "blurred", "detail"),
        Figure("symmetry", quality.symmetry(levels), quality.MIN_SYMMETRY, None, "turned away", "symmetry"),
    ]
    if face.refused and all(figure.ok for figure in figures):
        figures.append(Figure("detectors that see it from the side", 1, None, 0, face.refused, "side_view"))
    return figures


def _sureness(shares: Sequence[float], steadiness: Steadiness) -> list[Figure]:
    return [
        Figure("confidence", shares[0], steadiness.unsure_below, None, "unsure", "confidence"),
        Figure("lead over the second mood", shares[0] - shares[1], steadiness.margin, None, "unsure", "lead"),
    ]
