"""The camera service: ``python -m services.camera.main``."""

import sys
from collections.abc import Callable

from pydantic import Field

from services.camera.handlers import create_router
from services.camera.publisher import Frames, Publisher
from services.camera.sources import is_live, open_source
from shared.app import Service, create_bus, run_service
from shared.bus import Bus
from shared.settings import Settings, load


class CameraSettings(Settings):
    """Settings of the camera."""

    camera: str = Field("pattern:", description="webcam:0, rtsp://..., a video, picture or folder, or pattern:")
    camera_id: str = Field("camera-1", min_length=1, description="Name of the camera in all events.")
    frame_rate: float = Field(10.0, gt=0, le=60, description="Frames per second.")
    max_side_px: int = Field(640, ge=96, le=4096, description="Larger pictures are made smaller, to this longer side.")
    jpeg_quality: int = Field(85, ge=10, le=100, description="Quality of the frames on their way to the reader.")
    once: bool = Field(False, description="End with the input instead of beginning again.")


def create_service(settings: CameraSettings, bus: Bus, ended: Callable[[], None] | None = None) -> Service:
    """The service; ``ended`` is called when the input has come to its end.

    Files are opened here, so that a wrong one ends the start; raises MoodstreamError then.
    """
    source = None if is_live(settings.camera) else open_source(settings.camera)
    frames = Frames(
        camera_id=settings.camera_id,
        address=settings.camera,
        frames_per_s=settings.frame_rate,
        max_side_px=settings.max_side_px,
        jpeg_quality=settings.jpeg_quality,
        once=settings.once,
    )
    publisher = Publisher(bus, frames, source, ended)
    return Service("camera", create_router(bus, publisher, settings.camera_id), background=[publisher.run])


def create() -> tuple[Settings, Bus, Service]:
    settings = load(CameraSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
