"""Settings of the camera service, in a module of their own: who only asks which cameras there are starts sooner."""

from typing import Any

from pydantic import Field

from moodstream.contracts.ids import CameraId
from services.camera.rules.cameras import CameraConfig, create_cameras, read_cameras
from shared.settings import CAMERA_ID, CAMERA_ID_TEXT, Settings

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
    camera_id: CameraId = Field(CAMERA_ID, description=CAMERA_ID_TEXT)
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
