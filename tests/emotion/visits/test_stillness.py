"""Faces that never move: a poster's visit ends, somebody alive beside it is seen."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from moodstream.contracts.events import FaceRead, FrameCaptured, MoodChanged
from moodstream.contracts.moods import Mood
from services.camera.drawn import pattern
from services.emotion.faces.classifier import Classifier
from services.emotion.faces.detection import Detector
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.reader import Reader
from services.emotion.faces.yunet import YuNetDetector
from services.emotion.handlers import create_reading
from services.emotion.visits.stillness import MAX_PLACES, REMEMBERED_S, StillPlaces
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit_machine import VisitMachine
from tests.support.emotion.readings import START, face, moods, observe_all, reading

STILL_S = 20.0
POSTER = (400, 60, 150, 150)


def machine_of(still_s: float = STILL_S) -> VisitMachine:
    return VisitMachine("c", "m", Thresholds(still_s=still_s))


def at(mood: Mood, box: tuple[int, int, int, int]) -> FaceRead:
    return face(mood).model_copy(update={"box": box})


def poster(step: int) -> FaceRead:
    """As a detector sees it, which is never twice the same."""
    x, y, width, height = POSTER
    return at(Mood.HAPPY, (x + step % 3, y - step % 2, width + step % 5, height))


def person(step: int) -> FaceRead:
    return at(Mood.SAD, (100 + 25 * (step // 50 % 2), 100, 100, 100))


def scene(
    machine: VisitMachine, seconds: float, *who: Callable[[int], FaceRead], start_s: float = 0.0
) -> list[MoodChanged]:
    steps = range(round(seconds * 10))
    return observe_all(machine, [reading(start_s + step / 10, *(one(step) for one in who)) for step in steps])


def test_the_visit_of_a_poster_ends_and_it_begins_none() -> None:
    machine = machine_of()
    events = scene(machine, 90, poster)
    assert moods(events) == [("start", Mood.HAPPY), ("end", Mood.NOBODY)]
    assert STILL_S <= events[-1].dwell_s + 0.1 < STILL_S + 1
    assert machine.idle
    assert machine.still_faces == 1


def test_nobody_who_moves_is_taken_for_a_picture() -> None:
    assert moods(scene(machine_of(), 90, person)) == [("start", Mood.SAD)]


def test_without_the_setting_a_poster_stays() -> None:
    assert moods(scene(machine_of(0.0), 400, poster)) == [("start", Mood.HAPPY)]


def test_beside_a_poster_the_person_counts_alone() -> None:
    machine = machine_of()
    scene(machine, 30, poster)
    events = scene(machine, 10, poster, person, start_s=30)
    assert moods(events) == [("start", Mood.SAD)]  # although the poster is larger
    assert {event.faces for event in events} == {1}
    assert moods(scene(machine, 5, poster, start_s=40)) == [("end", Mood.NOBODY)]


def test_a_poster_that_somebody_hid_is_known_again() -> None:
    machine = machine_of()
    scene(machine, 30, poster)
    assert moods(scene(machine, 10, person, start_s=30)) == [("start", Mood.SAD)]
    assert moods(scene(machine, 60, poster, start_s=40)) == [("end", Mood.NOBODY)]


def test_who_held_still_is_seen_again_after_moving() -> None:
    machine = machine_of()
    scene(machine, 30, poster)
    moved = at(Mood.CALM, (POSTER[0] + 25, *POSTER[1:]))
    events = scene(machine, 5, lambda _: moved, start_s=30)
    assert moods(events) == [("start", Mood.CALM)]
    assert machine.still_faces == 0


def test_who_is_counted_adds_up() -> None:
    machine = machine_of()
    events = [*scene(machine, 40, poster, person), *scene(machine, 5, start_s=40)]
    assert events[-1].phase == "end"
    assert events[-1].entered == events[-1].left == 2
    assert [len(event.people) for event in events] == [event.entered - event.left for event in events]


@pytest.mark.parametrize(("by", "moved"), [((5, 0, 0), False), ((0, -20, 0), True), ((0, 0, 40), True)])
def test_what_counts_as_moving(by: tuple[int, int, int], moved: bool) -> None:
    x, y, side = by
    places = StillPlaces(STILL_S)
    one = places.first_seen((100, 100, 150, 150), 0)
    assert not places.see(one, (100, 100, 150, 150), STILL_S)
    assert one.still
    then = (100 + x - side // 2, 100 + y - side // 2, 150 + side, 150 + side)
    assert any(places.see(one, then, STILL_S + step / 10) for step in range(1, 50)) is moved
    assert one.still is not moved
    assert places.count == (not moved)


def test_a_place_is_forgotten_in_the_end() -> None:
    places = StillPlaces(STILL_S)
    assert not places.see(places.first_seen(POSTER, 0), POSTER, STILL_S)
    assert places.first_seen(POSTER, STILL_S + REMEMBERED_S - 1).still
    assert not places.first_seen(POSTER, STILL_S + REMEMBERED_S).still
    assert not places.first_seen((0, 0, 150, 150), STILL_S).still
    for number in range(1, MAX_PLACES + 1):
        box = (500 + 200 * number, 0, 100, 100)
        places.see(places.first_seen(box, 50), box, 50 + STILL_S)
    assert places.count == MAX_PLACES
    assert not places.first_seen(POSTER, 50).still


@pytest.mark.slow
@pytest.mark.parametrize("detector", [YuNetDetector, HaarDetector])
def test_a_printed_face_before_a_real_detector(detector: Callable[[], Detector]) -> None:
    """A still picture with a sensor's noise, as a poster opposite a kiosk, at two distances."""
    random = np.random.default_rng(2)
    reader = Reader(detector(), Classifier())
    for scale in (1.0, 0.3):
        still = cv2.resize(pattern.draw(3.0), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        machine = machine_of(15.0)
        events: list[MoodChanged] = []
        for seq in range(300):
            noisy = np.clip(still + random.normal(0, 4, still.shape), 0, 255).astype(np.uint8)
            frame = FrameCaptured(
                camera_id=f"{scale}",
                run_id="1",
                seq=seq,
                captured_at=reading(seq / 10).captured_at,
                jpeg=cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes(),
            )
            read, _ = create_reading(reader, frame)
            events += machine.observe(read, (frame.captured_at - START).total_seconds())
        assert [event.phase for event in events if event.phase != "update"] == ["start", "end"]
        assert 15 <= events[-1].dwell_s + 0.1 < 18
