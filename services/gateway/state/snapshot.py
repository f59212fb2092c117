"""The state of the site as one line of JSON: what ``/state`` and the event ``snapshot`` give. Pure."""

import json

from pydantic import BaseModel, JsonValue

from moodstream.contracts.events import utc_now
from services.gateway.state.kiosk import Kiosk
from services.gateway.state.opening_hours import Opening
from shared.contracts.site_state import CameraView, SiteState


def snapshot_of(
    state: SiteState, opening: Opening, kiosk: Kiosk, *, browser_camera: bool, view: dict[str, JsonValue] | None = None
) -> str:
    """``browser_camera``: whether pages may send pictures of their own camera; ``view``: what an operator sees."""
    return json.dumps(
        {
            "now": utc_now().isoformat(),
            "camera_id": state.camera_id,
            "browser_camera": browser_camera,
            "opening": opening.to_json(),
            "kiosk": _json(kiosk),
            "cameras": {name: _camera(view) for name, view in state.cameras.items()},
            "playback": _json(state.playback),
            "volume_before_mute": state.volume_before_mute,
            "view": view,
            "status": [_json(status) for status in state.status.values()],
        }
    )


def _camera(view: CameraView) -> dict[str, JsonValue]:
    return {
        "mood": _json(view.mood),
        "offer": _json(view.offer),
        "picked": view.picked,
        "ranking": _json(view.ranking),
        "frames": view.frames,
        "last_frame_at": view.last_frame_at.isoformat() if view.last_frame_at else None,
    }


def _json(model: BaseModel | None) -> JsonValue:
    return model.model_dump(mode="json") if model else None
