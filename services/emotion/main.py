"""The emotion service: ``python -m services.emotion.main``. Any number of workers share the frames."""

import sys
from pathlib import Path
from typing import Literal

from pydantic import Field

from services.emotion.faces.classifier import MODEL, Classifier
from services.emotion.faces.detection import Finder
from services.emotion.faces.haar import HaarFinder
from services.emotion.faces.reader import Reader
from services.emotion.faces.yunet import YuNetFinder
from services.emotion.handlers import create_router
from services.emotion.metrics import Metrics
from services.emotion.tracker_job import Tracking
from services.emotion.visits.policy import Policy
from services.emotion.visits.smoothing import Steadiness
from services.emotion.visits.thresholds import Patience
from services.emotion.visits.visit_machine import Tracker
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.settings import Settings, load


class EmotionSettings(Settings):
    """Settings of the emotion service."""

    model: Path = Field(
        default_factory=lambda: MODEL, description="The network, an ONNX file; when not set, the one that ships."
    )
    detector: Literal["haar", "yunet"] = Field("haar", description="What finds the faces.")
    yunet_model: Path | None = Field(None, description="Weights of YuNet, an ONNX file; none is shipped.")
    frame_max_age_ms: int = Field(1_000, gt=0, description="Older frames are dropped, never queued.")
    smoothing_s: float = Field(0.6, gt=0, description="Time constant of the smoothing of moods.")
    hold_s: float = Field(0.6, ge=0, description="A new mood must lead for so long before it is named.")
    unsure_below: float = Field(0.5, ge=0.25, le=1, description="Below this probability the mood is unsure.")
    margin: float = Field(0.2, ge=0, le=1, description="Least lead over the second mood; else the mood is unsure.")
    arrival_s: float = Field(0.5, ge=0, description="Somebody must be seen for so long before a session opens.")
    nobody_s: float = Field(2.0, gt=0, description="After so long without a face the session ends.")
    heartbeat_s: float = Field(5.0, gt=0, description="The mood is told again so often when it does not change.")

    policy: Policy = Field(
        "largest", description="How several faces become one mood: the largest, their average, or their majority."
    )

    def patience(self) -> Patience:
        steadiness = Steadiness(self.smoothing_s, self.hold_s, self.unsure_below, self.margin)
        return Patience(
            steadiness,
            arrival_s=self.arrival_s,
            nobody_s=self.nobody_s,
            heartbeat_s=self.heartbeat_s,
            policy=self.policy,
        )


def create_finder(settings: EmotionSettings) -> Finder:
    """What finds faces. Raises MoodstreamError when its file cannot be used."""
    return YuNetFinder(settings.yunet_model) if settings.detector == "yunet" else HaarFinder()


def create_reader(settings: EmotionSettings, classifier: Classifier | None = None) -> Reader:
    """What reads pictures; loads the network unless one is given. Raises MoodstreamError when it cannot be loaded."""
    return Reader(create_finder(settings), classifier or Classifier(settings.model))


def create_service(settings: EmotionSettings, bus: Bus, classifier: Classifier | None = None) -> Service:
    """The service; ``classifier`` instead of the network that the settings name."""
    reader = create_reader(settings, classifier)
    patience, metrics = settings.patience(), Metrics()
    tracking = Tracking(bus, lambda camera_id: Tracker(camera_id, reader.model, patience), reader.hear, metrics)
    router = create_router(bus, reader, settings.frame_max_age_ms, metrics)
    return Service("emotion", router, metrics=metrics.registry, background=[tracking.run])


def create() -> tuple[Settings, Bus, Service]:
    settings = load(EmotionSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
