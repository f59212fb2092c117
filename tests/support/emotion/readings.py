"""Readings of faces that a test makes up, and what the visit machine makes of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid5

from moodstream.contracts.events import NAMESPACE, FaceRead, FacesRead, MoodChanged, Probabilities
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.visits.visit_machine import VisitMachine

START = datetime(2026, 1, 1, tzinfo=UTC)
SURE = {mood: Probabilities(**{str(one): 0.85 if one == mood else 0.05 for one in MOODS}) for mood in MOODS}


def face(mood: Mood, side: int = 100, refused: str | None = None) -> FaceRead:
    return FaceRead(box=(0, 0, side, side), mood=mood, confidence=0.85, probabilities=SURE[mood], refused=refused)


def reading(at_s: float, *faces: FaceRead, run_id: str = "1", seq: int | None = None) -> FacesRead:
    number = round(at_s * 1000) if seq is None else seq
    return FacesRead(
        id=str(uuid5(NAMESPACE, f"{run_id}/{number}")),
        camera_id="c",
        run_id=run_id,
        seq=number,
        captured_at=START + timedelta(seconds=at_s),
        faces=faces,
        model="m",
    )


def script(*parts: tuple[Mood | None, float], rate: float = 10) -> list[FacesRead]:
    """Readings of a scene, part by part: (mood, or None for nobody; seconds)."""
    frames, at = [], 0.0
    for mood, seconds in parts:
        for _ in range(round(seconds * rate)):
            frames.append(reading(at, *([face(mood)] if mood else [])))
            at += 1 / rate
    return frames


def observe_all(machine: VisitMachine, frames: Iterable[FacesRead]) -> list[MoodChanged]:
    """The events that follow from readings, with the process's clock as fast as the camera's."""
    return [event for frame in frames for event in machine.observe(frame, (frame.captured_at - START).total_seconds())]


def moods(events: Iterable[MoodChanged]) -> list[tuple[str, Mood]]:
    """Phase and mood of each event that is not a heartbeat."""
    return [(event.phase, event.mood) for event in events if event.reason != "heartbeat"]
