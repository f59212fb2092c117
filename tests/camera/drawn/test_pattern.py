"""The drawn face: the same at the same time, found as a face, read as it is meant."""

import numpy as np
import pytest

from moodstream.contracts.events import FaceRead
from moodstream.contracts.moods import MOODS, Mood
from services.camera.capture.file_source import open_file
from services.camera.capture.opencv import cv2
from services.camera.drawn import pattern
from services.emotion.main import EmotionSettings, create_reader
from shared.settings import load

STEP_S = 0.2
TIMES = np.arange(0, pattern.CYCLE_S, STEP_S)


@pytest.fixture(scope="module")
def readings() -> dict[float, list[FaceRead]]:
    """What the shipped model reads along one cycle."""
    reader = create_reader(load(EmotionSettings))
    pictures = {float(at): cv2.cvtColor(pattern.draw(float(at)), cv2.COLOR_BGR2GRAY) for at in TIMES}
    return {at: reader.read_picture(np.asarray(picture, np.uint8)) for at, picture in pictures.items()}


def settled(mood: Mood) -> list[float]:
    """The times at which an expression has been shown for half a second at least."""
    return [at for at in TIMES.tolist() if pattern.shown_at(at) == pattern.shown_at(max(0.0, at - 0.6)) == mood]


def test_it_is_a_function_of_the_time_in_any_size() -> None:
    assert (pattern.draw(3.0) == pattern.draw(3.0)).all()
    assert pattern.shown_at(3.0) == pattern.shown_at(3.0 + pattern.CYCLE_S)
    assert pattern.draw(3.0, (320, 240)).shape == (240, 320, 3)


def test_the_script_shows_the_four_moods_and_an_empty_room() -> None:
    assert {mood for mood, _ in pattern.SCRIPT} == {*MOODS, Mood.NOBODY}
    assert pattern.SCRIPT[-1][0] is Mood.NOBODY


def test_who_tries_the_page_sees_each_mood_for_a_while_and_a_long_visit() -> None:
    shown = [pattern.shown_at(at, pattern.STAYING) for at in range(int(pattern.length_s(pattern.STAYING)))]
    assert shown[: int(pattern.STAY_S)] == [shown[0]] * int(pattern.STAY_S)
    assert sum(mood is Mood.NOBODY for mood in shown) / len(shown) < 0.02
    seams = pattern.STAY_S * np.arange(1, 4 * pattern.ROUNDS)  # also from round to round it changes smoothly
    for at in seams:
        before, after = (pattern.draw(at + step, script=pattern.STAYING) for step in (-0.02, 0.02))
        assert np.abs(before.astype(int) - after.astype(int)).mean() < 1


@pytest.mark.parametrize(
    ("address", "once", "lasts_s"),
    [("pattern:", False, 324), ("pattern:", True, 24), ("pattern:quick", False, 24), ("pattern:quick", True, 24)],
)
def test_played_once_or_quickly_it_hurries_through_all_moods(address: str, once: bool, lasts_s: float) -> None:
    source = open_file(address, once=once)
    assert source.read_frame(lasts_s - 0.1) is not None
    assert source.read_frame(lasts_s) is None


def test_one_face_is_found_while_it_is_there_and_none_after(readings: dict[float, list[FaceRead]]) -> None:
    there = [len(readings[at]) for mood in MOODS for at in settled(mood)]
    assert np.mean([count == 1 for count in there]) >= 0.95
    assert [len(readings[at]) for at in settled(Mood.NOBODY)] == [0] * len(settled(Mood.NOBODY))


@pytest.mark.parametrize("mood", MOODS)
def test_each_expression_is_read_as_meant(readings: dict[float, list[FaceRead]], mood: Mood) -> None:
    faces = [readings[at][0] for at in settled(mood) if readings[at]]
    assert np.mean([face.mood == mood for face in faces]) >= 0.9
    assert np.mean([face.confidence for face in faces if face.mood == mood]) >= 0.55
