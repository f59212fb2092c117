"""The webcams of this computer, as Linux lists them; none is opened."""

import os
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/sys/class/video4linux")


@dataclass(frozen=True)
class Device:
    """A webcam."""

    address: str
    """webcam:0"""
    name: str
    fault: str | None
    """why it cannot be used, or None"""


def devices(system: Path = SYSTEM, dev: Path = Path("/dev")) -> list[Device]:
    """Every webcam, without the second nodes of webcams, which give no pictures."""
    found = []
    for place in sorted(system.glob("video*"), key=lambda one: int(one.name.removeprefix("video") or 0)):
        try:
            first = (place / "index").read_text().strip() == "0"
            name = (place / "name").read_text().strip()
        except OSError:
            continue
        if first:
            found.append(Device(f"webcam:{place.name.removeprefix('video')}", name, _fault(dev / place.name)))
    return found


def may_use(node: Path) -> bool:
    """Whether this user may open a device."""
    return os.access(node, os.R_OK | os.W_OK)


def _fault(node: Path) -> str | None:
    if not node.exists():
        return f"{node} is not in this container: pass it on with --device {node}"
    if not may_use(node):
        return f"{node} may not be used by this user: add it to the group video"
    return None
