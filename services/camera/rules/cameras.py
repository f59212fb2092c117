"""The cameras of a service: one from the simple settings, or several from JSON or a file. Pure."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from moodstream.contracts.ids import CameraId
from moodstream.errors import MoodstreamError
from moodstream.host_names import can_be_host
from services.camera.rules.address import BROWSER, DRAWN, is_stream, webcam_number
from services.camera.rules.job import Job

Share = Annotated[float, Field(ge=0, le=1)]
Rectangle = tuple[Share, Share, Share, Share]
"""x, y, width and height as fractions of the camera's picture, so that they hold at every resolution"""


class CameraConfig(BaseModel):
    """One camera. A picture is processed in this order: masks, crop, rotation, mirror, size, JPEG."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: CameraId = "camera-1"
    address: str = Field(min_length=1, repr=False)
    frame_rate: float = Field(10.0, gt=0, le=60)
    idle_frame_rate: float = Field(5.0, ge=0, le=60)
    """while nobody is there; 0 keeps frame_rate"""
    size: tuple[Annotated[int, Field(ge=16, le=8192)], Annotated[int, Field(ge=16, le=8192)]] | None = None
    """width and height that a webcam is asked for, pixels"""
    max_side_px: int = Field(640, ge=96, le=4096)
    jpeg_quality: int = Field(85, ge=10, le=100)
    rotation: Literal[0, 90, 180, 270] = 0
    mirror: bool = False
    crop: Rectangle | None = None
    masks: tuple[Rectangle | tuple[tuple[Share, Share], ...], ...] = ()
    """areas that never leave the capture process: rectangles, or polygons of three corners and more"""
    once: bool = False
    real_time: bool = True
    """play a video at its own pace; otherwise as fast as it can be read"""
    frozen_after_s: float = Field(3.0, ge=0, le=60)
    """seconds of the same picture that count as a fault; 0 for cameras whose picture may stand still"""
    verify_tls: bool = True

    @field_validator("address")
    @classmethod
    def _known(cls, address: str) -> str:
        if is_stream(address):
            if not _is_url(address):
                raise ValueError(
                    "this is no address of a stream; in a user or password, @ : / ? # are written %40 %3A %2F %3F %23"
                )
            scheme, _, rest = address.partition("://")
            return f"{scheme.lower()}://{rest}"  # FFmpeg knows small letters alone
        if address in (*DRAWN, BROWSER) or webcam_number(address) is not None:
            return address
        if address.startswith(("webcam:", "/dev/video")):
            raise ValueError("a webcam is named webcam:0 or /dev/video0")
        if "://" in address:
            raise ValueError(f"addresses that begin with {address.partition('://')[0]}:// are not known")
        if not Path(address).exists():
            raise ValueError(f"no such camera or file: {address}")
        return address

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.crop is not None:
            x, y, width, height = self.crop
            if not (width > 0 and height > 0 and x + width <= 1 and y + height <= 1):
                raise ValueError("crop must lie inside the picture: x, y, width, height as shares from 0 to 1")
        if any(isinstance(mask[0], tuple) and len(mask) < 3 for mask in self.masks if mask):
            raise ValueError("a mask is a rectangle of four numbers, or has three corners at least")
        return self

    def job(self) -> Job:
        """The job of its capture process."""
        return Job(
            address=self.address,
            rate=self.frame_rate,
            once=self.once,
            real_time=self.real_time,
            size=self.size,
            rotation=self.rotation,
            mirror=self.mirror,
            crop=self.crop,
            masks=tuple(_corners(mask) for mask in self.masks if mask),
            max_side_px=self.max_side_px,
            jpeg_quality=self.jpeg_quality,
            verify_tls=self.verify_tls,
        )


def _is_url(address: str) -> bool:
    try:
        parts = urlsplit(address)
        misplaced = "@" in parts.fragment or ("@" not in parts.netloc and ":" in parts.netloc and "@" in parts.path)
        return can_be_host(parts.hostname or "") and (parts.port is None or parts.port > 0) and not misplaced
    except ValueError:
        return False


def _corners(mask: Any) -> tuple[tuple[float, float], ...]:
    if isinstance(mask[0], tuple):
        return tuple(mask)
    x, y, width, height = mask
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


def read_cameras(given: str, defaults: dict[str, Any]) -> tuple[CameraConfig, ...]:
    """Cameras from a JSON list, or from a TOML or JSON file with ``cameras``; ``defaults`` are for what they leave out.

    Raises MoodstreamError with one line that never contains an address.
    """
    listed = _listed(given)
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise MoodstreamError("MOODSTREAM_CAMERAS: must be a list of cameras, each with an id and an address")
    cameras = create_cameras([{"id": f"camera-{number}", **defaults, **one} for number, one in enumerate(listed, 1)])
    ids = [camera.id for camera in cameras]
    if len(set(ids)) < len(ids):
        raise MoodstreamError("MOODSTREAM_CAMERAS: two cameras have the same id")
    return cameras


def create_cameras(given: list[dict[str, Any]]) -> tuple[CameraConfig, ...]:
    """Validate descriptions of cameras. Raises MoodstreamError."""
    try:
        return TypeAdapter(tuple[CameraConfig, ...]).validate_python(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        number, *place = first["loc"]
        name = given[int(number)].get("id")
        where = ".".join(str(part) for part in place if not str(part).startswith(("tuple", "function")))
        # what our own validators raise is shown without pydantic's words before it
        reason = first["ctx"]["error"] if first["type"] == "value_error" else first["msg"]
        raise MoodstreamError(f"camera {name}: {where + ': ' if where else ''}{reason}") from None


def _listed(given: str) -> Any:
    text, is_toml = given.strip(), False
    if not text.startswith(("[", "{")):
        file = Path(text)
        try:
            text, is_toml = file.read_text(), file.suffix.lower() == ".toml"
        except (OSError, UnicodeDecodeError):
            raise MoodstreamError(f"MOODSTREAM_CAMERAS: the file {file} cannot be read") from None
    try:
        read: Any = tomllib.loads(text) if is_toml else json.loads(text)
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "see its syntax"
        raise MoodstreamError(f"MOODSTREAM_CAMERAS: not {'TOML' if is_toml else 'JSON'} ({where})") from None
    return read.get("cameras") if isinstance(read, dict) else read
