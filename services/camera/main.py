"""The camera service: ``python -m services.camera.main``."""

import sys
from collections.abc import Callable

from services.camera.drawn.simulated_visitors import SimulatedVisitors
from services.camera.handlers import create_router
from services.camera.settings import CameraSettings, cameras_of
from services.camera.watch.publisher import Publisher
from services.camera.watch.trial import check_files
from shared.app.server import run_service
from shared.app.service import Service, create_bus
from shared.bus.connection import Bus
from shared.delivery.frames_server import FramesServer
from shared.settings import Settings, load


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
