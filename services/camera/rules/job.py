"""The messages to and from a capture process, over plain pipes. Pure.

Standard input: lines of JSON, first the job, then changes of the rate; at the end of input the process exits. Standard
output: messages of the lengths of two parts (4 bytes each, big endian), a JSON object, and a JPEG or nothing.
"""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

LENGTHS = struct.Struct(">II")
MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Job:
    """What to capture and how; the address is never an argument or in the environment, where others could read it."""

    address: str
    rate: float = 10.0
    once: bool = False
    real_time: bool = True
    size: tuple[int, int] | None = None
    """width and height that a webcam is asked for, pixels"""
    rotation: int = 0
    """degrees clockwise: 0, 90, 180, 270"""
    mirror: bool = False
    crop: tuple[float, float, float, float] | None = None
    """x, y, width, height as fractions of the camera's picture"""
    masks: tuple[tuple[tuple[float, float], ...], ...] = ()
    """corners of areas that are painted black, as fractions of the camera's picture"""
    max_side_px: int = 640
    jpeg_quality: int = 85
    verify_tls: bool = True

    def as_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Job":
        given: dict[str, Any] = json.loads(line)
        for name in ("size", "crop"):
            given[name] = tuple(given[name]) if given[name] else None
        given["masks"] = tuple(tuple((x, y) for x, y in mask) for mask in given["masks"])
        return cls(**given)


def rate_line(rate: float) -> bytes:
    return json.dumps({"rate": rate}).encode() + b"\n"


def message(kind: str, jpeg: bytes = b"", **fields: object) -> bytes:
    """One message of a capture process.

    Kinds: started; opened (width, height, rate); picture (at, light, contrast, sharpness); pulse (arrived, broken);
    unavailable (code, reason; it may recover); invalid (reason; it will not); end.
    """
    head = json.dumps({"kind": kind, **fields}).encode()
    return LENGTHS.pack(len(head), len(jpeg)) + head + jpeg
