"""Draws into a frame what was read in it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.events import FaceRead, FacesRead, MoodChanged, Probabilities
from moodstream.contracts.moods import MOODS, Mood

Colour = tuple[int, int, int]

COLOURS: dict[Mood, Colour] = {  # blue, green, red
    Mood.ANGRY: (60, 60, 230),
    Mood.HAPPY: (40, 200, 250),
    Mood.SAD: (230, 140, 60),
    Mood.CALM: (110, 200, 110),
    Mood.UNSURE: (200, 200, 200),
    Mood.NOBODY: (150, 150, 150),
}
BAR_PX = 90
LINE_PX = 18


def draw(picture: NDArray[np.uint8], time_s: float, reading: FacesRead, mood: MoodChanged | None) -> NDArray[np.uint8]:
    """A copy of a picture uint8[H, W, 3] with boxes, their probabilities and the steady mood."""
    drawn = picture.copy()
    for face in reading.faces:
        _draw_face(drawn, face)
    steady = mood.mood if mood else Mood.NOBODY
    sure = f" {mood.confidence:.0%}" if mood else ""
    _write(drawn, f"{time_s:6.1f} s  {steady}{sure}", (8, drawn.shape[0] - 12), COLOURS[steady], 0.7)
    if mood is not None and mood.probabilities is not None:
        _draw_bars(drawn, mood.probabilities, (8, 8))
    return drawn


def _draw_face(picture: NDArray[np.uint8], face: FaceRead) -> None:
    x, y, width, height = face.box
    colour = COLOURS[Mood.UNSURE] if face.refused else COLOURS[face.mood]
    cv2.rectangle(picture, (x, y), (x + width, y + height), colour, 1 if face.refused else 2)
    _write(picture, face.refused or f"{face.mood} {face.confidence:.0%}", (x, max(LINE_PX, y - 6)), colour, 0.5)


def _draw_bars(picture: NDArray[np.uint8], shares: Probabilities, corner: tuple[int, int]) -> None:
    x, y = corner
    for row, (mood, share) in enumerate(zip(MOODS, shares.in_order(), strict=True)):
        top = y + row * LINE_PX
        cv2.rectangle(picture, (x, top), (x + round(BAR_PX * share), top + LINE_PX - 5), COLOURS[mood], cv2.FILLED)
        _write(picture, f"{mood} {share:.0%}", (x + BAR_PX + 6, top + LINE_PX - 6), COLOURS[mood], 0.45)


def _write(picture: NDArray[np.uint8], text: str, at: tuple[int, int], colour: Colour, size: float) -> None:
    for shade, thick in (((0, 0, 0), 3), (colour, 1)):
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, shade, thick, cv2.LINE_AA)
