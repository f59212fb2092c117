"""Faces found in whole frames, followed from frame to frame, and refused where nobody could read them."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from moodstream.errors import MoodstreamError
from services.camera.drawn import pattern
from services.emotion.faces.appearance import REACH, Look
from services.emotion.faces.boxes import Box, distinct, overlap
from services.emotion.faces.decode import Grey
from services.emotion.faces.detection import SEARCH_EVERY_S, STALE_S, WHOLE_EVERY_S, Finder, Follower
from services.emotion.faces.haar import HaarFinder
from services.emotion.faces.patches import back_in_frame, crop, cut
from services.emotion.faces.quality import REASONS, refusal
from services.emotion.faces.yunet import YuNetFinder
from tests.support.pictures import noise

START = datetime(2026, 1, 1, tzinfo=UTC)
EMPTY = np.zeros((360, 640), np.uint8)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def drawn(time_s: float = 4.0) -> Grey:
    """The drawn face of the camera service, in grey levels."""
    return np.asarray(cv2.cvtColor(pattern.draw(time_s), cv2.COLOR_BGR2GRAY), np.uint8)


def turned(grey: Grey, degrees: float) -> Grey:
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.fixture(scope="module")
def haar() -> HaarFinder:
    return HaarFinder()


@pytest.fixture(scope="module")
def yunet(reference: Path) -> YuNetFinder:
    return YuNetFinder(reference / "models" / "yunet_n_dynamic.onnx")


def counts(finder: Finder, reference: Path) -> tuple[int, int, int]:
    """Single faces found, single faces found twice, pictures without a face in which one is found."""
    found = twice = false = 0
    with (reference / "frames" / "labels.csv").open() as file:
        for row in csv.DictReader(file):
            if row["faces"] not in ("0.0", "1.0", "0", "1"):
                continue
            grey = cv2.imread(str(reference / "frames" / row["file"]), cv2.IMREAD_GRAYSCALE)
            assert grey is not None
            boxes = finder.find(np.asarray(grey, np.uint8))
            single = float(row["faces"]) == 1
            found += single and len(boxes) > 0
            twice += single and len(boxes) > 1
            false += not single and len(boxes) > 0
    return found, twice, false


@pytest.mark.reference
def test_photographs_with_one_face_and_with_none(haar: HaarFinder, reference: Path) -> None:
    found, twice, false = counts(haar, reference)
    assert found >= 123
    assert twice <= 2
    assert false == 0


@pytest.mark.reference
def test_photographs_through_yunet(yunet: YuNetFinder, reference: Path) -> None:
    found, twice, false = counts(yunet, reference)
    assert found >= 123
    assert twice <= 2
    assert false == 0


@pytest.mark.reference
@pytest.mark.parametrize("name", ["haar", "yunet"])
@pytest.mark.parametrize(("video", "faces"), [("face_noface.mov", 72), ("WolfgangLanger_Pexels.mp4", 120)])
def test_a_face_is_kept_and_let_go(
    name: str, video: str, faces: int, reference: Path, request: pytest.FixtureRequest
) -> None:
    follower = Follower(request.getfixturevalue(name))
    capture, kept, after, searches = cv2.VideoCapture(str(reference / "video" / video)), 0, 0, 0
    for number in range(faces + 30):
        more, picture = capture.read()
        if not more:
            break
        small = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
        boxes, search = follower.find(grey, "c", at(number / 24))
        kept += number < faces and len(boxes) == 1
        after += number >= faces and len(boxes) > 0
        searches += number < faces and search != "near"
    capture.release()
    assert kept == faces
    assert searches <= faces / 24 + 2
    assert after == (0 if video == "face_noface.mov" else 30)


def test_yunet_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(MoodstreamError, match="MOODSTREAM_YUNET_MODEL"):
        YuNetFinder(None)
    (tmp_path / "other.onnx").write_bytes(b"no network")
    with pytest.raises(MoodstreamError, match="not the weights") as caught:
        YuNetFinder(tmp_path / "other.onnx")
    assert "\n" not in str(caught.value)


def test_an_upright_face_is_found_once_and_noise_is_none(haar: HaarFinder) -> None:
    [box] = haar.find(drawn())
    assert box.tilt_deg == 0
    assert haar.find(noise()) == []
    assert haar.glance(noise()) == []


@pytest.mark.parametrize("degrees", [-32, 32])
def test_a_leaning_face_is_found_and_set_upright(haar: HaarFinder, degrees: int) -> None:
    [upright], leaning = haar.find(drawn()), turned(drawn(), degrees)
    [box] = haar.find(leaning)
    assert box.tilt_deg * degrees < 0
    again = haar.near(leaning, box, 0.25, 1.25)
    assert again is not None
    assert overlap(again, box) > 0.6
    straight, set_upright = crop(drawn(), upright).astype(float), crop(leaning, box).astype(float)
    assert np.corrcoef(straight.ravel(), set_upright.ravel())[0, 1] > 0.6


@settings(deadline=None)
@given(
    st.integers(-900, 1500),
    st.integers(-900, 900),
    st.integers(24, 300),
    st.sampled_from([0, 20, -20]),
    st.floats(0, 1),
)
@example(x=651, y=85, side=354, tilt=0, reach=0.0)
def test_any_box_is_cut_to_its_size(x: int, y: int, side: int, tilt: int, reach: float) -> None:
    """Also one beyond the border: OpenCV never comes back from mirroring an empty picture."""
    box = Box(x, y, side, side, tilt)
    assert cut(EMPTY, box, reach, 36).shape == (round(36 * (1 + 2 * reach)),) * 2
    assert crop(EMPTY, box).shape == (48, 48)


def test_what_is_found_in_a_turned_patch_is_put_back_in_its_place() -> None:
    grey = EMPTY.copy()
    cv2.circle(grey, (330, 150), 3, 255, cv2.FILLED)
    box = Box(250, 100, 100, 100, 20)
    patch = cut(grey, box, 0.5, 50)
    row, column = np.unravel_index(int(patch.argmax()), patch.shape)
    found = back_in_frame(box, Box(int(column) - 5, int(row) - 5, 10, 10), len(patch), 2.0)
    assert found.centre == pytest.approx((330, 150), abs=4)


def test_one_face_has_one_box() -> None:
    face, inside, beside = Box(100, 100, 100, 100), Box(120, 120, 40, 40), Box(230, 100, 90, 90)
    assert distinct([face, inside, beside, Box(105, 98, 104, 104)]) == [face, beside]


class FakeFinder:
    """Faces at known places; counts how it is asked."""

    def __init__(self, *faces: Box) -> None:
        self.faces = list(faces)
        self.asked: list[str] = []

    def find(self, grey: Grey) -> list[Box]:
        self.asked.append("find")
        return list(self.faces)

    def glance(self, grey: Grey) -> list[Box]:
        self.asked.append("glance")
        return list(self.faces)

    def near(self, grey: Grey, box: Box, reach: float, spread: float) -> Box | None:
        self.asked.append("near")
        return next((face for face in self.faces if abs(face.x - box.x) <= reach * box.width), None)


FACE, OTHER = Box(100, 100, 80, 80), Box(400, 100, 80, 80)


def test_a_found_face_is_followed_and_the_whole_frame_is_searched_now_and_then() -> None:
    finder = FakeFinder(FACE)
    follower = Follower(finder)
    for number in range(91):
        boxes, _ = follower.find(EMPTY, "c", at(number / 30))
        assert boxes == [FACE]
    assert finder.asked.count("glance") == 1 + int(3 / WHOLE_EVERY_S)


def test_a_newcomer_is_noticed_and_one_who_leaves_is_lost_at_once() -> None:
    finder = FakeFinder(FACE)
    follower = Follower(finder)
    follower.find(EMPTY, "c", at(0))
    finder.faces = [FACE, OTHER]
    assert len(follower.find(EMPTY, "c", at(0.1))[0]) == 1
    assert len(follower.find(EMPTY, "c", at(WHOLE_EVERY_S))[0]) == 2
    finder.faces = [OTHER]
    assert follower.find(EMPTY, "c", at(WHOLE_EVERY_S + 0.1)) == ([OTHER], "glance")


def test_the_search_grows_with_the_time_between_frames_and_ends() -> None:
    finder = FakeFinder(FACE)
    follower = Follower(finder)
    follower.find(EMPTY, "c", at(0))
    finder.faces = [Box(150, 100, 80, 80)]
    assert follower.find(EMPTY, "c", at(0.6))[1] == "near"
    finder.faces = [Box(190, 100, 80, 80)]
    assert follower.find(EMPTY, "c", at(0.65))[1] == "glance"
    assert follower.find(EMPTY, "c", at(0.65 + STALE_S + 0.1))[1] == "glance"


def moved(grey: Grey, pixels: int) -> Grey:
    return np.asarray(np.roll(grey, pixels, axis=1), np.uint8)


def test_a_face_is_known_again_by_its_look_and_nothing_else_is(haar: HaarFinder) -> None:
    frame = drawn()
    [face] = haar.find(frame)
    look = Look(frame, face)
    for pixels in (-8, 0, 8):
        again = look.again(moved(frame, pixels))
        assert again is not None
        assert again.centre == pytest.approx((face.centre[0] + pixels, face.centre[1]), abs=face.width / 24)
        assert again.width == face.width
    for other in (moved(frame, round(2 * REACH * face.width)), turned(frame, 15), noise(), EMPTY):
        assert look.again(other) is None
    assert Look(EMPTY, face).again(EMPTY) is None


def test_a_face_that_looks_the_same_is_searched_now_and_then_only(haar: HaarFinder) -> None:
    frame = drawn()
    [face] = haar.find(frame)
    finder = FakeFinder(face)
    follower = Follower(finder)
    for number in range(31):
        assert follower.find(frame, "c", at(number / 30)) == ([face], "near" if number else "glance")
    assert finder.asked.count("near") <= 1 / SEARCH_EVERY_S
    finder.faces = []
    finder.asked.clear()
    assert follower.find(noise(*frame.shape), "c", at(31 / 30))[0] == []
    assert "near" in finder.asked


@pytest.mark.parametrize("beyond", [Box(605, 100, 80, 80), Box(-45, 100, 80, 80), Box(560, 325, 80, 80)])
def test_a_face_is_not_followed_into_the_mirror_beyond_the_border(beyond: Box) -> None:
    """What lies there is mirrored for the search, so a face that leaves has a twin."""
    finder = FakeFinder(Box(min(max(beyond.x, 0), 560), min(beyond.y, 280), 80, 80))
    follower = Follower(finder)
    follower.find(EMPTY, "c", at(0))
    finder.faces = [beyond]
    assert follower.find(EMPTY, "c", at(0.5))[1] == "glance"


def test_one_search_of_the_whole_frame_serves_all_workers() -> None:
    """Though each hears of the other's search only some frames later."""
    finders = [FakeFinder(FACE), FakeFinder(FACE)]
    followers = [Follower(finder) for finder in finders]
    told: list[tuple[list[Box], datetime]] = []
    for number in range(271):
        boxes, search = followers[number % 2].find(EMPTY, "c", at(number / 30))
        if search == "glance":
            told.append((boxes, at(number / 30)))
        while told and told[0][1] <= at(number / 30 - 0.3):
            for follower in followers:
                follower.hear("c", *told[0])
            told.pop(0)
    searches = sum(finder.asked.count("glance") for finder in finders)
    assert 1 + int(9 / WHOLE_EVERY_S) <= searches <= 3 + int(9 / WHOLE_EVERY_S)


def test_a_newcomer_whom_another_worker_found_is_searched_for_at_once() -> None:
    finder = FakeFinder(FACE)
    follower = Follower(finder)
    follower.find(EMPTY, "c", at(0))
    finder.faces = [FACE, OTHER]
    follower.hear("c", [FACE, OTHER], at(0.1))
    assert follower.find(EMPTY, "c", at(0.2)) == ([FACE, OTHER], "near")
    follower.hear("nobody's", [FACE], at(0.2))
    finder.faces = [FACE]
    follower.hear("c", [FACE, OTHER], at(-1))
    assert follower.find(EMPTY, "c", at(0.3)) == ([FACE], "glance")


def test_late_frames_and_other_cameras_do_not_disturb() -> None:
    finder = FakeFinder(FACE)
    follower = Follower(finder)
    for moment in (0, 0.1, 0.2):
        follower.find(EMPTY, "c", at(moment))
    finder.faces = [Box(110, 100, 80, 80)]
    follower.find(EMPTY, "c", at(0.05))
    follower.find(EMPTY, "d", at(0.2))
    finder.faces = [Box(85, 100, 80, 80)]
    assert follower.find(EMPTY, "c", at(0.25)) == ([Box(85, 100, 80, 80)], "near")


def test_nobody_is_looked_for_finely_once_a_second_only() -> None:
    finder = FakeFinder()
    follower = Follower(finder)
    for number in range(30):
        assert follower.find(EMPTY, "c", at(number / 10))[0] == []
    assert finder.asked.count("find") == 3
    assert finder.asked.count("glance") == 30


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans(), st.sampled_from("ab")), max_size=60))
def test_whatever_the_times_and_cameras_the_faces_that_are_there_are_found(
    frames: list[tuple[float, bool, str]],
) -> None:
    finder = FakeFinder()
    follower, moment = Follower(finder), 0.0
    for step, there, camera in frames:
        moment += step
        finder.faces = [FACE] if there else []
        assert follower.find(EMPTY, camera, at(moment))[0] == finder.faces


def textured(mean: float = 128, spread: float = 40) -> Grey:
    random = np.random.default_rng(5).normal(0, 1, (48, 24))
    half = cv2.GaussianBlur(random, (0, 0), 1.2)
    face = np.hstack([half, half[:, ::-1]])
    return np.asarray(np.clip(mean + spread * face / face.std(), 0, 255), np.uint8)


def smeared() -> Grey:
    disc = cv2.circle(np.full((48, 48), 60, np.uint8), (24, 24), 12, 200, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(disc, (0, 0), 5), np.uint8)


INSIDE = Box(100, 100, 100, 100)


@pytest.mark.parametrize(
    ("box", "face", "reason"),
    [
        (INSIDE, textured(), None),
        (Box(100, 100, 20, 20), textured(), "too small"),
        (Box(-40, 100, 100, 100), textured(), "at the border"),
        (INSIDE, textured(10, 9), "too dark"),
        (INSIDE, textured(250, 9), "too bright"),
        (INSIDE, textured(128, 3), "no contrast"),
        (INSIDE, smeared(), "blurred"),
        (Box(100, 100, 100, 100, turned=True), textured(), "turned away"),
        (INSIDE, np.hstack([textured()[:, :24], 255 - textured()[:, 24:]]), "turned away"),
    ],
)
def test_each_gate(box: Box, face: Grey, reason: str | None) -> None:
    assert refusal(box, face, (360, 640)) == reason
    assert reason is None or reason in REASONS


@pytest.mark.reference
def test_the_gates_let_learnable_faces_through(reference: Path) -> None:
    images = np.load(reference / "faces" / "fer2013_train_val.npz")["images"][:2000].reshape(-1, 48, 48)
    refused = [refusal(INSIDE, face, (360, 640)) for face in images]
    assert sum(one is not None for one in refused) < 0.02 * len(images)
