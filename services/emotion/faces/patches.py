"""Parts of a frame, cut out and scaled down: for the search around a face, and as the crop for the model."""

import cv2
import numpy as np

from services.emotion.faces.boxes import Box
from services.emotion.faces.decode import Grey

CROP = 48
"""Side of the model's input in pixels."""


def grey_of(picture: object) -> Grey:
    """The result of an OpenCV function as a grey picture; OpenCV's own types leave it open."""
    return np.asarray(picture, dtype=np.uint8)


def shrunk(grey: Grey, side: int) -> tuple[Grey, float]:
    """The picture scaled down to at most this longer side, and the scale."""
    scale = min(1.0, side / max(grey.shape))
    if scale == 1:
        return grey, scale
    height, width = (max(1, round(scale * length)) for length in grey.shape)
    return grey_of(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)), scale


def cut(grey: Grey, box: Box, reach: float, face_px: int) -> Grey:
    """The square around a box, ``reach`` sides larger on each side, turned upright; the box is ``face_px`` wide in it.

    Beyond its border the frame is mirrored; a square wholly outside shows the frame's last row or column.
    """
    pad = round(reach * box.width)
    left, top = box.x - pad, box.y - pad
    right, bottom = box.x + box.width + pad, box.y + box.height + pad
    height, width = grey.shape
    first_row, first_column = min(max(0, top), height - 1), min(max(0, left), width - 1)
    last_row, last_column = max(min(bottom, height), first_row + 1), max(min(right, width), first_column + 1)
    inside = grey[first_row:last_row, first_column:last_column]
    over = max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
    if any(over):
        inside = grey_of(cv2.copyMakeBorder(inside, *over, cv2.BORDER_REFLECT))
    side = round(face_px * (1 + 2 * reach))
    patch = cv2.resize(_halved(inside, side), (side, side), interpolation=cv2.INTER_AREA)
    if box.tilt_deg:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), box.tilt_deg, 1)
        patch = cv2.warpAffine(patch, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    return grey_of(patch)


def _halved(picture: Grey, side: int) -> Grey:
    """The picture halved as often as it stays larger than ``side``: halving costs a tenth of any other ratio."""
    while min(picture.shape) >= 2 * side:
        height, width = picture.shape[0] // 2, picture.shape[1] // 2
        even = picture[: 2 * height, : 2 * width]
        picture = grey_of(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    return picture


def back_in_frame(box: Box, found: Box, patch_side: int, scale: float) -> Box:
    """Convert a box found in the patch around ``box`` to pixels of the frame; one patch pixel is ``scale`` of them."""
    turn = np.radians(box.tilt_deg)
    dx, dy = (place - patch_side / 2 for place in found.centre)
    x = box.centre[0] + scale * (dx * np.cos(turn) - dy * np.sin(turn))
    y = box.centre[1] + scale * (dx * np.sin(turn) + dy * np.cos(turn))
    side = round(found.width * scale)
    return Box(round(x - side / 2), round(y - side / 2), side, side, box.tilt_deg, found.turned)


def crop(grey: Grey, box: Box) -> Grey:
    """The face in a box, upright, uint8[48, 48]."""
    if not box.tilt_deg:
        return cut(grey, box, 0, CROP)
    margin = CROP // 4
    return cut(grey, box, 0.25, CROP)[margin : margin + CROP, margin : margin + CROP]
