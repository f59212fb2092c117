"""Puts a video through the reader and the visit machine, exactly like a camera's frames: for tuning and bug reports."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from moodstream.contracts.events import FaceRead, FacesRead, FrameCaptured, MoodChanged
from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError
from services.emotion.faces.reader import Reader
from services.emotion.handlers import create_reading
from services.emotion.offline.drawing import Picture, draw_moment
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit_machine import VisitMachine
from shared.videos import NotAVideo, open_video

MAX_SIDE_PX, JPEG_QUALITY = 640, 85
"""As the camera service sends frames by default."""
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """One frame, its reading, and the mood after it."""

    time_s: float
    picture: Picture
    reading: FacesRead
    mood: MoodChanged | None
    """the steady mood after this frame, None while nobody is there"""
    changed: bool
    """whether a session starts or ends, or its mood changes"""

    def drawn(self) -> Picture:
        """The picture with everything that was read in it."""
        return draw_moment(self.picture, self.time_s, self.reading.faces, self.mood)

    def as_dict(self) -> dict[str, object]:
        steady = {"mood", "confidence", "probabilities", "people", "entered", "left", "dwell_s"}
        return {
            "time_s": self.time_s,
            "search": self.reading.search,
            "faces": [face.model_dump(mode="json") for face in self.reading.faces],
            "steady": self.mood.model_dump(mode="json", include=steady) if self.mood else None,
            "changed": self.changed,
        }

    def as_text(self) -> str:
        faces = "; ".join(
            f"{','.join(map(str, face.box))} {face.refused or _shares(face)}" for face in self.reading.faces
        )
        steady = f"{self.mood.mood} {self.mood.confidence:.0%}" if self.mood else Mood.NOBODY
        return f"{self.time_s:7.2f} s  {steady:<12}{'*' if self.changed else ' '} {faces or 'no face'}"


def _shares(face: FaceRead) -> str:
    return " ".join(f"{mood} {p:3.0%}" for mood, p in zip(MOODS, face.probabilities.in_order(), strict=True))


def replay(path: Path, reader: Reader, thresholds: Thresholds, rate: float) -> Iterator[Moment]:
    """The moments of a video, at most ``rate`` a second. Raises MoodstreamError when the file is not a video."""
    every = replace(thresholds, heartbeat_s=0.0)
    machine, mood = VisitMachine(path.name, reader.model_name, every), None
    for seq, (time_s, picture) in enumerate(_frames(path, rate)):
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        at = START + timedelta(seconds=time_s)
        frame = FrameCaptured(camera_id=path.name, run_id="1", seq=seq, captured_at=at, jpeg=jpeg.tobytes())
        reading, _ = create_reading(reader, frame)
        events = machine.observe(reading, time_s)
        mood = events[-1] if events else mood
        changed = any(event.reason == "change" for event in events)
        standing = mood if mood and mood.phase != "end" else None
        yield Moment(round(time_s, 3), picture, reading, standing, changed)


def _frames(path: Path, rate: float) -> Iterator[tuple[float, Picture]]:
    if not path.is_file():
        raise MoodstreamError(f"there is no file {path}")
    try:
        video = open_video(path)
    except NotAVideo as error:
        raise MoodstreamError(f"{path} is not a video: {error}") from None
    try:
        next_s, found = 0.0, False
        while (time_s := video.next_s()) is not None:
            if found and time_s < next_s - 1e-6:
                continue
            if (picture := video.picture()) is not None:
                next_s = time_s if not found else max(next_s, time_s - 1 / rate)
                next_s, found = next_s + 1 / rate, True
                yield time_s, _small(picture)
        if not found:
            raise MoodstreamError(f"{path} is not a video: no frame of it can be decoded")
    finally:
        video.close()


def _small(picture: Picture) -> Picture:
    scale = min(1.0, MAX_SIDE_PX / max(picture.shape[:2]))
    if scale == 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
