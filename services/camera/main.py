"""The camera service: ``python -m services.camera.main``."""

import sys
from collections.abc import Callable
from typing import Any

from pydantic import Field

from moodstream.contracts.ids import CameraId
from services.camera.drawn.simulated_visitors import SimulatedVisitors
from services.camera.handlers import create_router
from services.camera.rules.cameras import CameraConfig, create_cameras, read_cameras
from services.camera.watch.publisher import Publisher
from services.camera.watch.trial import check_files
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.delivery.frames_server import FramesServer
from shared.settings import Settings, load

NO_LIST = "[]"
"""Overrides a list of cameras in .env; an empty value would count as not set."""


class CameraSettings(Settings):
    """Settings of the camera."""

    camera: str = Field(
        "pattern:",
        repr=False,
        description="webcam:0, rtsp://..., a video, a picture, a folder of pictures, or pattern: for the drawn face.",
    )
    cameras: str | None = Field(
        None,
        repr=False,
        description="Several cameras: a JSON list, or the path of a TOML or JSON file (docs/cameras.md).",
    )
    camera_id: CameraId = Field("camera-1", description="Name of the camera in all events.")
    frame_rate: float = Field(10.0, gt=0, le=60, description="Frames per second.")
    idle_frame_rate: float = Field(
        5.0, ge=0, le=60, description="Frames per second while nobody is there; 0 keeps the normal rate."
    )
    max_side_px: int = Field(
        640, ge=96, le=4096, description="Longer side of frames, pixels; larger pictures are scaled down."
    )
    jpeg_quality: int = Field(85, ge=10, le=100, description="JPEG quality of the frames, 10 to 100.")
    once: bool = Field(False, description="Stop at the end of the input instead of playing it again.")
    demo: bool = Field(False, description="Simulated visitors instead of a camera; everything else is real.")


def cameras_of(settings: CameraSettings) -> tuple[CameraConfig, ...]:
    """The cameras that the settings name. Raises MoodstreamError."""
    names = ("frame_rate", "idle_frame_rate", "max_side_px", "jpeg_quality", "once")
    common: dict[str, Any] = {name: getattr(settings, name) for name in names}
    if settings.cameras and settings.cameras != NO_LIST:
        return read_cameras(settings.cameras, common)
    return create_cameras([{"id": settings.camera_id, "address": settings.camera, **common}])


def create_service(settings: CameraSettings, bus: Bus, ended: Callable[[], None] | None = None) -> Service:
    """The service; ``ended`` is called when the input of all cameras has ended.

    Raises MoodstreamError for cameras that cannot exist.
    """
    if settings.demo:
        visitors = SimulatedVisitors(bus, settings.camera_id)
        router = create_router(bus, {settings.camera_id: visitors}, f"camera-{settings.camera_id}")
        return Service("camera", router, background=[visitors.follow_events, visitors.publish_visits])
    cameras = cameras_of(settings)
    check_files(cameras)
    if "frames_kept" not in settings.model_fields_set:
        bus.publisher.frames_kept = max(bus.publisher.frames_kept, 2 * (len(cameras) + 1))
    publisher = Publisher(bus, cameras, ended)
    group, frames = "camera-" + "+".join(camera.id for camera in cameras), FramesServer(bus, settings)
    return Service(
        "camera",
        create_router(bus, publisher.cameras, group),
        metrics=publisher.metrics.registry,
        prepare=[frames.check],
        background=[publisher.run, publisher.watch, frames.watch],
    )


def create() -> tuple[Settings, Bus, Service]:
    settings = load(CameraSettings)
    bus = create_bus(settings)
    return settings, bus, create_service(settings, bus)


if __name__ == "__main__":
    sys.exit(run_service(create))
