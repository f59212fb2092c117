"""Faces are detected in whole frames and followed from frame to frame."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.emotion.faces.appearance import REACH, Appearance
from services.emotion.faces.boxes import Box
from services.emotion.faces.decode import Grey
from services.emotion.faces.detection import SEARCH_EVERY_S, STALE_S, WHOLE_EVERY_S, FaceDetection
from services.emotion.faces.haar import HaarDetector
from tests.support.pictures import drawn_face, noise, rotated

START = datetime(2026, 1, 1, tzinfo=UTC)


EMPTY = np.zeros((360, 640), np.uint8)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["haar", "yunet"])
@pytest.mark.parametrize(("video", "faces"), [("face_noface.mov", 72), ("WolfgangLanger_Pexels.mp4", 120)])
def test_a_face_is_kept_and_let_go(
    name: str, video: str, faces: int, reference: Path, request: pytest.FixtureRequest
) -> None:
    detection = FaceDetection(request.getfixturevalue(name))
    capture, kept, after, searches = cv2.VideoCapture(str(reference / "video" / video)), 0, 0, 0
    for number in range(faces + 30):
        more, picture = capture.read()
        if not more:
            break
        small = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
        boxes, search = detection.find_faces(grey, "c", at(number / 24))
        kept += number < faces and len(boxes) == 1
        after += number >= faces and len(boxes) > 0
        searches += number < faces and search != "near"
    capture.release()
    assert kept == faces
    assert searches <= faces / 24 + 2
    assert after == (0 if video == "face_noface.mov" else 30)


class FakeDetector:
    """Faces at known places; keeps which searches were asked of it."""

    def __init__(self, *faces: Box) -> None:
        self.faces = list(faces)
        self.searches: list[str] = []

    def find_faces(self, grey: Grey) -> list[Box]:
        self.searches.append("whole")
        return list(self.faces)

    def find_faces_fast(self, grey: Grey) -> list[Box]:
        self.searches.append("fast")
        return list(self.faces)

    def find_face_near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None:
        self.searches.append("near")
        return next((face for face in self.faces if abs(face.x - box.x) <= reach * box.width), None)


FACE, OTHER = Box(100, 100, 80, 80), Box(400, 100, 80, 80)


def test_a_found_face_is_followed_and_the_whole_frame_is_searched_now_and_then() -> None:
    detector = FakeDetector(FACE)
    detection = FaceDetection(detector)
    for number in range(91):
        boxes, _ = detection.find_faces(EMPTY, "c", at(number / 30))
        assert boxes == [FACE]
    assert detector.searches.count("fast") == 1 + int(3 / WHOLE_EVERY_S)


def test_a_newcomer_is_noticed_and_one_who_leaves_is_lost_at_once() -> None:
    detector = FakeDetector(FACE)
    detection = FaceDetection(detector)
    detection.find_faces(EMPTY, "c", at(0))
    detector.faces = [FACE, OTHER]
    assert len(detection.find_faces(EMPTY, "c", at(0.1))[0]) == 1
    assert len(detection.find_faces(EMPTY, "c", at(WHOLE_EVERY_S))[0]) == 2
    detector.faces = [OTHER]
    assert detection.find_faces(EMPTY, "c", at(WHOLE_EVERY_S + 0.1)) == ([OTHER], "glance")


def test_the_search_grows_with_the_time_between_frames_and_ends() -> None:
    detector = FakeDetector(FACE)
    detection = FaceDetection(detector)
    detection.find_faces(EMPTY, "c", at(0))
    detector.faces = [Box(150, 100, 80, 80)]
    assert detection.find_faces(EMPTY, "c", at(0.6))[1] == "near"
    detector.faces = [Box(190, 100, 80, 80)]
    assert detection.find_faces(EMPTY, "c", at(0.65))[1] == "glance"
    assert detection.find_faces(EMPTY, "c", at(0.65 + STALE_S + 0.1))[1] == "glance"


def moved(grey: Grey, pixels: int) -> Grey:
    return np.asarray(np.roll(grey, pixels, axis=1), np.uint8)


def test_a_face_is_known_again_by_its_appearance_and_nothing_else_is(haar: HaarDetector) -> None:
    frame = drawn_face()
    [face] = haar.find_faces(frame)
    appearance = Appearance(frame, face)
    for pixels in (-8, 0, 8):
        again = appearance.find_again(moved(frame, pixels))
        assert again is not None
        assert again.centre == pytest.approx((face.centre[0] + pixels, face.centre[1]), abs=face.width / 24)
        assert again.width == face.width
    for other in (moved(frame, round(2 * REACH * face.width)), rotated(frame, 15), noise(), EMPTY):
        assert appearance.find_again(other) is None
    assert Appearance(EMPTY, face).find_again(EMPTY) is None


def test_a_face_that_looks_the_same_is_searched_now_and_then_only(haar: HaarDetector) -> None:
    frame = drawn_face()
    [face] = haar.find_faces(frame)
    detector = FakeDetector(face)
    detection = FaceDetection(detector)
    for number in range(31):
        assert detection.find_faces(frame, "c", at(number / 30)) == ([face], "near" if number else "glance")
    assert detector.searches.count("near") <= 1 / SEARCH_EVERY_S
    detector.faces = []
    detector.searches.clear()
    assert detection.find_faces(noise(*frame.shape), "c", at(31 / 30))[0] == []
    assert "near" in detector.searches


@pytest.mark.parametrize("beyond", [Box(605, 100, 80, 80), Box(-45, 100, 80, 80), Box(560, 325, 80, 80)])
def test_a_face_is_not_followed_into_the_mirror_beyond_the_border(beyond: Box) -> None:
    """What lies there is mirrored for the search, so a face that leaves has a twin."""
    detector = FakeDetector(Box(min(max(beyond.x, 0), 560), min(beyond.y, 280), 80, 80))
    detection = FaceDetection(detector)
    detection.find_faces(EMPTY, "c", at(0))
    detector.faces = [beyond]
    assert detection.find_faces(EMPTY, "c", at(0.5))[1] == "glance"


def test_one_search_of_the_whole_frame_serves_all_workers() -> None:
    """Though each hears of the other's search only some frames later."""
    detectors = [FakeDetector(FACE), FakeDetector(FACE)]
    detections = [FaceDetection(detector) for detector in detectors]
    told: list[tuple[list[Box], datetime]] = []
    for number in range(271):
        boxes, search = detections[number % 2].find_faces(EMPTY, "c", at(number / 30))
        if search == "glance":
            told.append((boxes, at(number / 30)))
        while told and told[0][1] <= at(number / 30 - 0.3):
            for detection in detections:
                detection.note_search("c", *told[0])
            told.pop(0)
    searches = sum(detector.searches.count("fast") for detector in detectors)
    assert 1 + int(9 / WHOLE_EVERY_S) <= searches <= 3 + int(9 / WHOLE_EVERY_S)


def test_a_newcomer_whom_another_worker_found_is_searched_for_at_once() -> None:
    detector = FakeDetector(FACE)
    detection = FaceDetection(detector)
    detection.find_faces(EMPTY, "c", at(0))
    detector.faces = [FACE, OTHER]
    detection.note_search("c", [FACE, OTHER], at(0.1))
    assert detection.find_faces(EMPTY, "c", at(0.2)) == ([FACE, OTHER], "near")
    detection.note_search("nobody's", [FACE], at(0.2))
    detector.faces = [FACE]
    detection.note_search("c", [FACE, OTHER], at(-1))
    assert detection.find_faces(EMPTY, "c", at(0.3)) == ([FACE], "glance")


def test_late_frames_and_other_cameras_do_not_disturb() -> None:
    detector = FakeDetector(FACE)
    detection = FaceDetection(detector)
    for moment in (0, 0.1, 0.2):
        detection.find_faces(EMPTY, "c", at(moment))
    detector.faces = [Box(110, 100, 80, 80)]
    detection.find_faces(EMPTY, "c", at(0.05))
    detection.find_faces(EMPTY, "d", at(0.2))
    detector.faces = [Box(85, 100, 80, 80)]
    assert detection.find_faces(EMPTY, "c", at(0.25)) == ([Box(85, 100, 80, 80)], "near")


def test_nobody_is_looked_for_finely_once_a_second_only() -> None:
    detector = FakeDetector()
    detection = FaceDetection(detector)
    for number in range(30):
        assert detection.find_faces(EMPTY, "c", at(number / 10))[0] == []
    assert detector.searches.count("whole") == 3
    assert detector.searches.count("fast") == 30


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans(), st.sampled_from("ab")), max_size=60))
def test_whatever_the_times_and_cameras_the_faces_that_are_there_are_found(
    frames: list[tuple[float, bool, str]],
) -> None:
    detector = FakeDetector()
    detection, moment = FaceDetection(detector), 0.0
    for step, there, camera in frames:
        moment += step
        detector.faces = [FACE] if there else []
        assert detection.find_faces(EMPTY, camera, at(moment))[0] == detector.faces
