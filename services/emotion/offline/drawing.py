"""Draws into a picture what was read in it: boxes, labels, and the four probabilities as bars."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.events import FaceRead, MoodChanged, Probabilities
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.faces.boxes import Box, shared_area

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]
"""[height, width, 3], blue green red"""

COLOURS: dict[Mood, Colour] = {  # blue, green, red
    Mood.ANGRY: (60, 60, 230),
    Mood.HAPPY: (40, 200, 250),
    Mood.SAD: (230, 140, 60),
    Mood.CALM: (110, 200, 110),
    Mood.UNSURE: (200, 200, 200),
    Mood.NOBODY: (150, 150, 150),
}
BAR_PX, NAME_PX, LINE_PX = 60, 90, 18
"""Of a panel of bars in a picture 640 pixels across: length of a full bar, room for the name, height of a line."""
MIN_FACE_PX = 60
"""A smaller face gets bars without names, below its box."""


def draw_faces(picture: Picture, faces: Iterable[FaceRead]) -> Picture:
    """A copy of a picture uint8[H, W, 3] with a box, a label and bars at each face."""
    drawn, faces = picture.copy(), list(faces)
    taken = [Box(*face.box) for face in faces]
    for face in faces:
        _draw_box(drawn, face)
        panel = _place_of_panel(drawn, face.box, taken)
        if panel is not None:
            taken.append(panel)
            _draw_panel(drawn, face.probabilities, (panel.x, panel.y))
        else:
            _draw_bars_below(drawn, face)
    return drawn


def draw_moment(picture: Picture, time_s: float, faces: Iterable[FaceRead], mood: MoodChanged | None) -> Picture:
    """The same with the time and the steady mood, for a video."""
    drawn, unit = draw_faces(picture, faces), _unit(picture)
    steady = mood.mood if mood else Mood.NOBODY
    sure = f" {mood.confidence:.0%}" if mood else ""
    line = drawn.shape[0] - round(12 * unit)
    _write(drawn, f"{time_s:6.1f} s  {steady}{sure}", (round(8 * unit), line), COLOURS[steady], 0.7)
    if mood is not None and mood.probabilities is not None:
        _draw_panel(drawn, mood.probabilities, (round(8 * unit), round(8 * unit)))
    return drawn


def _unit(picture: Picture) -> float:
    """How many pixels stand for one of a picture 640 across, so that a photograph's labels can be read too."""
    return max(0.5, int(max(picture.shape[:2])) / 640)


def _draw_box(picture: Picture, face: FaceRead) -> None:
    x, y, width, height = face.box
    unit, colour = _unit(picture), COLOURS[Mood.UNSURE] if face.refused else COLOURS[face.mood]
    cv2.rectangle(picture, (x, y), (x + width, y + height), colour, max(1, round((1 if face.refused else 2) * unit)))
    label = face.refused or f"{face.mood} {face.confidence:.0%}"
    _write(picture, label, (max(0, x), max(round(LINE_PX * unit), y - round(6 * unit))), colour, 0.5)


def _place_of_panel(picture: Picture, box: tuple[int, int, int, int], taken: Sequence[Box]) -> Box | None:
    """Beside a face, where no other face and no other panel is; None for a small face or where there is no room."""
    x, y, width, height = box
    unit = _unit(picture)
    if height < MIN_FACE_PX * unit:
        return None
    size, gap = (round((BAR_PX + NAME_PX) * unit), round(4 * LINE_PX * unit)), round(8 * unit)
    for left in (x + width + gap, x - gap - size[0]):
        place = Box(left, max(0, y), *size)
        if 0 <= left <= picture.shape[1] - size[0] and not any(shared_area(place, other) for other in taken):
            return place
    return None


def _draw_bars_below(picture: Picture, face: FaceRead) -> None:
    x, y, width, height = face.box
    line = max(2, round(4 * _unit(picture)))
    top = min(y + height + line, picture.shape[0] - 4 * line)
    _draw_bars(picture, face.probabilities, (x, top), width, line)


def _draw_panel(picture: Picture, shares: Probabilities, corner: tuple[int, int]) -> None:
    """Bars with their names."""
    (x, y), unit = corner, _unit(picture)
    _draw_bars(picture, shares, corner, round(BAR_PX * unit), round(LINE_PX * unit))
    for row, (mood, share) in enumerate(zip(MOODS, shares.in_order(), strict=True), 1):
        at = x + round((BAR_PX + 6) * unit), y + round((row * LINE_PX - 6) * unit)
        _write(picture, f"{mood} {share:.0%}", at, COLOURS[mood], 0.45)


def _draw_bars(picture: Picture, shares: Probabilities, corner: tuple[int, int], length: int, line: int) -> None:
    """Four bars below each other; ``length`` is that of a probability of 1, ``line`` the height of a bar with a gap."""
    x, y = corner
    for row, (mood, share) in enumerate(zip(MOODS, shares.in_order(), strict=True)):
        top, thick = y + row * line, max(1, line * 3 // 4)
        cv2.rectangle(picture, (x, top), (x + length, top + thick - 1), (40, 40, 40), cv2.FILLED)
        cv2.rectangle(picture, (x, top), (x + round(length * share), top + thick - 1), COLOURS[mood], cv2.FILLED)


def _write(picture: Picture, text: str, at: tuple[int, int], colour: Colour, size: float) -> None:
    unit = _unit(picture)
    for shade, thick in (((0, 0, 0), 3), (colour, 1)):
        width = max(1, round(thick * unit))
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size * unit, shade, width, cv2.LINE_AA)
