"""How cameras and profiles may be named, wherever a name comes in: HTTP, MQTT, OSC, streams, settings and files. Pure.

Names become keys in Redis, topics of MQTT, devices of home automation and words in logs; so they are short, and made of
what is harmless in all of these.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

CAMERA_ID = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
PROFILE = r"^[^\x00-\x1f\x7f-\x9f]{1,60}$"
_BY_HAND = re.compile(r"hand-\d{1,10}-\d{1,10}")
_CAMERA_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def is_camera_id(text: str) -> bool:
    return _CAMERA_ID.fullmatch(text) is not None


def is_place_by_hand(text: str) -> bool:
    """Whether a page has named a place so that stands before no camera: where somebody chooses a mood by hand."""
    return _BY_HAND.fullmatch(text) is not None


def _checked(given: str) -> str:
    if not is_camera_id(given):
        raise ValueError("must be 1 to 100 letters a to z, digits, dots, hyphens, underscores; none of .- first")
    return given


CameraId = Annotated[str, AfterValidator(_checked)]
