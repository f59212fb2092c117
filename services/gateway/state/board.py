"""What is true now, put together from the events: mood, open offer and ranking of every camera, playback, status.

It is what a page that has just been opened is shown. When a session ends, its offer, pick and ranking are forgotten.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, JsonValue

from moodstream.contracts.events import (
    Event,
    FacesRead,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
    utc_now,
)
from services.gateway.state.kiosk import Kiosk
from services.gateway.state.opening_hours import ALWAYS, Opening

CAMERAS_KEPT = 64
OFFERS_KEPT = 200
IDS_KEPT = 2_000
STATUS_KEPT = 100


@dataclass
class CameraView:
    """What one camera and its visitor are about."""

    mood: MoodChanged | None = None
    offer: SongsOffered | None = None
    picked: str | None = None
    """id of the song picked from that offer"""
    ranking: SongsRanked | None = None
    frames: int = 0
    """read since this process began"""
    last_frame_at: datetime | None = None
    """capture time of the newest frame that was read"""

    @property
    def session_id(self) -> str | None:
        return self.mood.session_id if self.mood and self.mood.phase != "end" else None

    def concerns(self, event: Event) -> bool:
        """Whether an event belongs to the visit of now: streams are read side by side, so one may come too late."""
        return self.mood is None or event.session_id is None or event.session_id == self.session_id

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "mood": _json(self.mood),
            "offer": _json(self.offer),
            "picked": self.picked,
            "ranking": _json(self.ranking),
            "frames": self.frames,
            "last_frame_at": self.last_frame_at.isoformat() if self.last_frame_at else None,
        }


@dataclass
class Offer:
    """An offer that may still be picked from."""

    event: SongsOffered
    camera_id: str
    picked: str | None = None


@dataclass
class Board:
    """Applies events in the order of their streams; the same event twice counts once."""

    camera_id: str
    """the camera that a page shows unless it follows its own"""
    browser_camera: bool = True
    """whether pages may send pictures; told to them"""
    opening: Opening = ALWAYS
    kiosk: Kiosk = field(default_factory=Kiosk)
    cameras: dict[str, CameraView] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    status: dict[tuple[str, str | None], StatusChanged] = field(default_factory=dict)
    playback: PlaybackChanged | None = None
    loud: int | None = None
    """the last volume that was not silence, percent"""
    _seen: dict[str, None] = field(default_factory=dict)

    def apply(self, event: Event) -> bool:
        """Take in one event; False when it was known already."""
        if isinstance(event, FacesRead):
            self._faces_read(event)
            return True
        if event.id in self._seen:
            return False
        _put(self._seen, event.id, None, IDS_KEPT)
        match event:
            case MoodChanged():
                self._mood_changed(event)
            case SongsOffered():
                self._songs_offered(event)
            case SongPicked():
                self.song_picked(event.offer_id, event.song_id)
            case SongsRanked():
                self._songs_ranked(event)
            case PlaybackChanged():
                self.playback, self.loud = event, event.volume or self.loud
            case StatusChanged():
                self._status_changed(event)
        return True

    def to_json(self) -> str:
        """The snapshot, as one line of JSON."""
        return json.dumps(
            {
                "now": utc_now().isoformat(),
                "camera_id": self.camera_id,
                "browser_camera": self.browser_camera,
                "opening": self.opening.to_json(),
                "kiosk": _json(self.kiosk),
                "cameras": {name: view.to_json() for name, view in self.cameras.items()},
                "playback": _json(self.playback),
                "status": [_json(status) for status in self.status.values()],
            }
        )

    def session_of(self, camera_id: str) -> str | None:
        """The session at a camera, if anybody is there."""
        view = self.cameras.get(camera_id)
        return view.session_id if view else None

    def camera_told_of(self, event: Event) -> str | None:
        """The camera that an event is about, where it is about one."""
        if isinstance(event, StatusChanged):
            return event.part if event.service in ("camera", "gateway") else None
        named: str | None = getattr(event, "camera_id", None)
        return named or (self._camera_of(event) if event.session_id else None)

    def song_picked(self, offer_id: str, song_id: str) -> None:
        """The first pick of an offer stands; that of an unknown offer is nobody's any more."""
        offer = self.offers.get(offer_id)
        if offer is None or offer.picked is not None:
            return
        offer.picked = song_id
        view = self.cameras.get(offer.camera_id)
        if view and view.offer and view.offer.id == offer_id:
            view.picked = song_id

    def _view(self, camera_id: str) -> CameraView:
        view = self.cameras.get(camera_id) or CameraView()
        _put(self.cameras, camera_id, view, CAMERAS_KEPT)
        return view

    def _faces_read(self, event: FacesRead) -> None:
        view = self._view(event.camera_id)
        view.frames += 1
        view.last_frame_at = event.captured_at

    def _mood_changed(self, event: MoodChanged) -> None:
        view = self._view(event.camera_id)
        if event.phase == "end" or (view.session_id and event.session_id != view.session_id):
            self._forget(view)
        view.mood = event
        if event.phase == "end" and self._unheard_of(event.camera_id):
            del self.cameras[event.camera_id]

    def _songs_offered(self, event: SongsOffered) -> None:
        camera_id = event.camera_id or self._camera_of(event)
        view = self._view(camera_id)
        if view.concerns(event):
            _put(self.offers, event.id, Offer(event, camera_id), OFFERS_KEPT)
            view.offer, view.picked, view.ranking = event, None, None

    def _songs_ranked(self, event: SongsRanked) -> None:
        offer = self.offers.get(event.offer_id)
        view = self._view(offer.camera_id if offer else self._camera_of(event))
        newer = view.offer is not None and view.offer.id != event.offer_id
        if view.concerns(event) and not newer:
            view.ranking, view.picked = event, event.picked.id

    def _status_changed(self, event: StatusChanged) -> None:
        if event.service == "gateway" and event.part and event.state == "offline":
            # The camera of a browser is gone for good: its id is never used again.
            self.status.pop((event.service, event.part), None)
            self.cameras.pop(event.part, None)
        else:
            _put(self.status, (event.service, event.part), event, STATUS_KEPT)

    def _camera_of(self, event: Event) -> str:
        for name, view in self.cameras.items():
            if event.session_id and view.session_id == event.session_id:
                return name
        return self.camera_id

    def _unheard_of(self, camera_id: str) -> bool:
        """Whether a camera is one that went away, whose last events still came in."""
        return camera_id != self.camera_id and all(part != camera_id for _, part in self.status)

    def _forget(self, view: CameraView) -> None:
        if session_id := view.session_id:
            self.offers = {name: offer for name, offer in self.offers.items() if offer.event.session_id != session_id}
        view.offer = view.picked = view.ranking = None


def _json(model: BaseModel | None) -> JsonValue:
    return model.model_dump(mode="json") if model else None


def _put(table: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Set as the newest, and let the oldest go."""
    table.pop(key, None)
    table[key] = value
    while len(table) > most:
        table.pop(next(iter(table)))
