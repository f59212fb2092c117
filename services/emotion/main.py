"""The emotion service: ``python -m services.emotion.main``. Any number of workers share the frames."""

import logging
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field

from moodstream.errors import MoodstreamError
from services.emotion.faces.classifier import MODEL, Classifier
from services.emotion.faces.detection import Detector
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.reader import Reader
from services.emotion.faces.yunet import YuNetDetector
from services.emotion.handlers import create_router
from services.emotion.metrics import Metrics
from services.emotion.preview.view_publisher import ViewPublisher
from services.emotion.tracker_job import TrackerJob
from services.emotion.visits.policy import Policy
from services.emotion.visits.smoothing import Steadiness
from services.emotion.visits.thresholds import Thresholds
from services.emotion.visits.visit_machine import VisitMachine
from shared.app.follow_settings import follow_settings
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.app.site_settings import SettingsDesk
from shared.bus.connection import Bus
from shared.contracts.mounting_view import PREVIEW_TEXT, Preview
from shared.delivery.frames_server import FramesServer
from shared.settings import Settings, load
from shared.site_file import LIVE

log = logging.getLogger("moodstream.emotion")


class EmotionSettings(Settings):
    """Settings of the emotion service."""

    model: Path = Field(
        default_factory=lambda: MODEL, description="Mood model, an ONNX file; the shipped one when not set."
    )
    detector: Literal["auto", "yunet", "haar"] = Field(
        "auto", description="Face detector: yunet, haar, or auto: YuNet where its weights are installed, else Haar."
    )
    yunet_model: Path | None = Field(
        None, description="YuNet's weights, an ONNX file; those that set-up has fetched when not set."
    )
    frame_max_age_ms: int = Field(1_000, gt=0, description="Frames older than this are dropped, milliseconds.")
    smoothing_s: float = Field(
        0.6, gt=0, description="Time constant of the mood's smoothing, seconds; longer is steadier and slower."
    )
    hold_s: float = Field(0.6, ge=0, description="Seconds a new mood must stay ahead before it is announced.")
    unsure_below: float = Field(
        0.5, ge=0.25, le=1, description="Minimum probability of a mood; below it the mood is unsure."
    )
    margin: float = Field(
        0.2, ge=0, le=1, description="Minimum lead over the second most likely mood; below it the mood is unsure."
    )
    arrival_s: float = Field(0.5, ge=0, description="Seconds a face must be seen before a session opens.")
    nobody_s: float = Field(2.0, gt=0, description="Seconds without a face after which the session ends.")
    heartbeat_s: float = Field(5.0, gt=0, description="Seconds between heartbeats while the mood is unchanged.")

    still_face_s: float = Field(
        180.0,
        ge=0,
        description="Seconds after which a face that never moves counts as a picture on a wall; 0 counts all as alive.",
    )
    policy: Policy = Field(
        "largest",
        json_schema_extra=LIVE,
        description="How several faces become one mood: the largest face, the average, or the majority.",
    )
    preview: Preview = Field("outline", description=PREVIEW_TEXT)

    def thresholds(self) -> Thresholds:
        """What the visit machine is given."""
        steadiness = Steadiness(self.smoothing_s, self.hold_s, self.unsure_below, self.margin)
        return Thresholds(
            steadiness,
            arrival_s=self.arrival_s,
            nobody_s=self.nobody_s,
            heartbeat_s=self.heartbeat_s,
            still_s=self.still_face_s,
            policy=self.policy,
        )


def create_detector(settings: EmotionSettings, package: str | None = None) -> Detector:
    """The face detector of the settings; ``package`` is where YuNet's weights are.

    A file that is named is never passed over. Raises MoodstreamError when its file cannot be used.
    """
    if settings.detector == "haar":
        return HaarDetector()
    try:
        return YuNetDetector(settings.yunet_model, package)
    except MoodstreamError as error:
        if settings.detector == "yunet" or settings.yunet_model is not None:
            raise
        log.warning("%s; faces are found with Haar, which misses more", error)
        return HaarDetector()


def create_reader(settings: EmotionSettings, classifier: Classifier | None = None) -> Reader:
    """The reader of the settings; loads the mood model unless one is given. Raises MoodstreamError when it cannot."""
    return Reader(create_detector(settings), classifier or Classifier(settings.model))


def create_service(settings: EmotionSettings, bus: Bus, classifier: Classifier | None = None) -> Service:
    """The service; ``classifier`` replaces the model that the settings name."""
    reader = create_reader(settings, classifier)
    thresholds, metrics = [settings.thresholds()], Metrics()
    tracker = TrackerJob(
        bus,
        lambda camera_id: VisitMachine(camera_id, reader.model_name, thresholds[0]),
        reader.note_reading,
        metrics,
        SettingsDesk(settings, EmotionSettings.thresholds),
    )

    def apply(changed: EmotionSettings) -> None:
        thresholds[0] = changed.thresholds()
        tracker.change_policy(changed.policy)

    async def follow_site_settings() -> None:
        await follow_settings(bus, settings, apply)

    view = None if settings.preview == "off" else ViewPublisher(bus, settings.preview, metrics.view_drawn)
    router = create_router(bus, reader, settings.frame_max_age_ms, metrics, show=view.show if view else None)
    frames = FramesServer(bus, settings, reads=True)
    background = [tracker.run, frames.watch, follow_site_settings, *([view.run] if view else [])]
    return Service("emotion", router, metrics=metrics.registry, prepare=[frames.check], background=background)


def create() -> tuple[Settings, Bus, Service]:
    settings = load(EmotionSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
