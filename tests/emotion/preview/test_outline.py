"""The picture of the view: boxes and figures that are right, and an outline in which no detail is left."""

import base64
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from moodstream.contracts.events import FaceRead, Probabilities
from moodstream.contracts.moods import Mood
from services.camera.capture.picture import sharpness
from services.emotion.faces.decode import Grey
from services.emotion.preview.figures import measure
from services.emotion.preview.outline import CELLS, LEVELS, READ, REFUSED, draw_view, encode_view
from tests.support.pictures import drawn_face, noise


def face(box: tuple[int, int, int, int], refused: str | None = None) -> FaceRead:
    shares = Probabilities(angry=0.1, happy=0.7, sad=0.1, calm=0.1)
    return FaceRead(box=box, mood=Mood.HAPPY, confidence=0.7, probabilities=shares, refused=refused)


FAR, CLOSE = face((310, 210, 30, 30)), face((120, 40, 400, 400))


@pytest.mark.parametrize("faces", [[], [FAR], [CLOSE], [face((500, 300, 400, 400))], [face((-90, -90, 120, 120))]])
def test_an_outline_has_few_levels_and_no_detail_whether_faces_are_found_or_not(faces: list[FaceRead]) -> None:
    grey = drawn_face()
    outline = draw_view(grey, measure(grey, faces), "outline")
    assert outline.shape == (360, 480, 3)
    plain = draw_view(grey, measure(grey, []), "outline")[..., 0]
    assert len(np.unique(plain)) <= LEVELS
    same = draw_view(noise(), measure(noise(), []), "outline")
    assert len(np.unique(same)) <= LEVELS


@pytest.mark.parametrize("faces", [[], [CLOSE]], ids=["missed", "found"])
def test_two_faces_that_differ_in_detail_alone_have_one_outline(faces: list[FaceRead]) -> None:
    """Eyes, brows and mouth are finer than a cell: smooth them away, and hardly a pixel changes."""
    one = drawn_face()
    other = np.asarray(cv2.blur(one, (640 // CELLS, 640 // CELLS)), np.uint8)
    plain = [draw_view(each, measure(each, []), "picture") for each in (one, other)]
    outlines = [draw_view(each, measure(each, faces), "outline") for each in (one, other)]
    assert differing(*plain) > 0.03, "brows, eyes, mouth"
    assert differing(*outlines) < 0.001


def differing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The share of pixels that differ by more than a level of an outline."""
    return float((np.abs(one[..., 0].astype(int) - other[..., 0]) > 256 // LEVELS).mean())


def has(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool((picture == colour).all(axis=2).any())


def test_a_face_has_a_box_in_the_colour_of_its_gate() -> None:
    grey = drawn_face()
    read = draw_view(grey, measure(grey, [CLOSE]), "outline")
    refused = draw_view(grey, measure(grey, [face((310, 210, 30, 30), "too small")]), "picture")
    assert (has(read, READ), has(read, REFUSED)) == (True, False)
    assert (has(refused, READ), has(refused, REFUSED)) == (False, True)
    data = base64.b64decode(encode_view(read))
    assert np.array_equal(np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)), read)


@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (90, 120), (1, 1), (1080, 1920)])
def test_every_size_of_frame_is_measured_and_drawn(shape: tuple[int, int]) -> None:
    grey: Grey = np.full(shape, 120, np.uint8)
    figures = measure(grey, [face((0, 0, *shape[::-1]))])
    assert figures.size == shape[::-1]
    assert (figures.light, figures.contrast, figures.sharpness) == (120, 0, 0)
    for preview in ("outline", "picture"):
        drawn = draw_view(grey, figures, "outline" if preview == "outline" else "picture")
        assert drawn.shape[1] == 480


def test_nearer_faces_are_larger_and_the_best_distance_lies_between() -> None:
    grey = drawn_face()
    sides = (20, 60, 200, 300)
    figures = measure(grey, [face((100, 100, side, side)) for side in sides])
    assert [one.place for one in figures.faces] == ["too far", "good", "good", "too near"]
    assert all(nearer.distance_m < farther.distance_m for farther, nearer in pairwise(figures.faces))
    near_m, far_m = figures.best_m
    assert [near_m <= one.distance_m <= far_m for one in figures.faces] == [False, True, True, False]
    small = figures.faces[0].gates[0]
    assert (small.value, small.ok) == (20, False)
    assert figures.sharpness == pytest.approx(
        sharpness(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), dtype=np.uint8)), rel=0.02
    )
