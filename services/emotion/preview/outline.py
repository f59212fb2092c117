"""Draws the picture of the view: as it is, or as an outline in which nobody can be recognised."""

import base64
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from services.emotion.faces.decode import Grey
from shared.contracts.mounting_view import FaceInView, ViewFigures

WIDTH_PX = 480
CELLS = 12
"""An outline keeps this many cells along its longer side: about eight across a face that fills the frame. At 24 whoever
knows a face sees who it is; at 12 there are patches that any face has. That holds for faces no detector finds, too."""
LEVELS = 5
"""Grey levels of an outline."""
READ, REFUSED = (90, 200, 90), (40, 170, 250)
"""Blue, green, red."""

Picture = NDArray[np.uint8]


def draw_view(grey: Grey, figures: ViewFigures, preview: Literal["outline", "picture"]) -> Picture:
    """A picture uint8[H, 480, 3] of a frame uint8[H, W] with a box and the size at each face."""
    scale = WIDTH_PX / grey.shape[1]
    size = WIDTH_PX, max(1, round(scale * grey.shape[0]))
    base = (
        _outline(grey, figures, size) if preview == "outline" else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    )
    drawn = np.asarray(cv2.cvtColor(base, cv2.COLOR_GRAY2BGR), np.uint8)
    for face in figures.faces:
        _draw_face(drawn, face, scale)
    return drawn


def encode_view(picture: Picture) -> str:
    """The picture as a PNG in base64."""
    _, png = cv2.imencode(".png", picture)
    return base64.b64encode(png.tobytes()).decode()


def _outline(grey: Grey, figures: ViewFigures, size: tuple[int, int]) -> Grey:
    """Few cells, few levels; faces that were found are plain ovals."""
    plain = grey.copy()
    for face in figures.faces:
        x, y, width, height = face.box
        inside = grey[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
        if inside.size:
            oval = (round(0.6 * width), round(0.75 * height))
            cv2.ellipse(plain, (x + width // 2, y + height // 2), oval, 0, 0, 360, float(inside.mean()), cv2.FILLED)
    scale = CELLS / max(grey.shape)
    cells = max(1, round(scale * grey.shape[1])), max(1, round(scale * grey.shape[0]))
    few = cv2.resize(plain, cells, interpolation=cv2.INTER_AREA)
    step = 256 // LEVELS
    smooth = cv2.resize(few, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.minimum(smooth // step, LEVELS - 1) * step + step // 2, np.uint8)


def _draw_face(picture: Picture, face: FaceInView, scale: float) -> None:
    x, y, width, height = (round(scale * value) for value in face.box)
    colour = REFUSED if face.refused else READ
    cv2.rectangle(picture, (x, y), (x + width, y + height), colour, 2)
    label = f"{face.side_px} px" + (f": {face.refused}" if face.refused else "")
    at = (
        max(2, min(x, picture.shape[1] - 9 * len(label))),
        y - 7 if y > 22 else min(y + height + 18, picture.shape[0] - 4),
    )
    for shade, thick in (((0, 0, 0), 3), (colour, 1)):
        cv2.putText(picture, label, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, shade, thick, cv2.LINE_AA)
