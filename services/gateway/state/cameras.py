"""The cameras of the site as operators see them, and whether they work. Pure."""

from moodstream.contracts.events import StatusChanged
from moodstream.contracts.status_codes import StatusCode
from shared.contracts.site_state import CameraView, SiteState

WITHOUT_CAMERA = "hand-"
"""What the ids begin with under which pages choose moods by hand where there is no camera, each for itself."""


def is_well(status: StatusChanged) -> bool:
    """Whether a camera works, or rests because somebody has asked for that: it comes back by itself."""
    return status.state == "online" or status.code in (StatusCode.RESTING, StatusCode.CLOSED)


def known_cameras(state: SiteState) -> list[tuple[str, StatusChanged | None, CameraView | None]]:
    """(camera id, its newest status, its view) of each camera with either; a page without one is no camera."""
    statuses = {part: one for (service, part), one in state.status.items() if part and service in ("camera", "gateway")}
    names = sorted(name for name in statuses.keys() | state.cameras.keys() if not name.startswith(WITHOUT_CAMERA))
    return [(name, statuses.get(name), state.cameras.get(name)) for name in names]
