"""The reference pictures and videos in two parts, split by a seed: settings are chosen on one, figures told of another.

A name decides alone, so that a picture keeps its part whatever is added to the data.
"""

import hashlib
from typing import Literal

Part = Literal["choosing", "report"]

SEED = "moodstream 2026-11"


def part_of(name: str) -> Part:
    """The part of a picture or video, by its path in the reference data."""
    first = hashlib.sha256(f"{SEED}/{name}".encode()).digest()[0]
    return "report" if first % 2 else "choosing"
