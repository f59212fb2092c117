"""What is true at a site now, put together from its events: the read model of the gateway and of the bridge. Pure.

It holds the mood, open offer, pick and ranking of every camera, playback, and the status of services. When a visit
ends, its offer, pick and ranking are forgotten.
"""

from dataclasses import dataclass
from datetime import datetime

from moodstream.contracts.events import (
    Event,
    FacesRead,
    MoodChanged,
    PlaybackChanged,
    SongPicked,
    SongsOffered,
    SongsRanked,
    StatusChanged,
)
from moodstream.contracts.moods import Mood
from shared.bounded import Bounded

MAX_CAMERAS = 64
MAX_OFFERS = 200
MAX_IDS = 2_000
MAX_STATUSES = 100


@dataclass
class CameraView:
    """One camera and the visit at it."""

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
        """Whether an event belongs to the current visit: streams are read side by side, so one may come too late."""
        return self.mood is None or event.session_id is None or event.session_id == self.session_id


@dataclass
class OpenOffer:
    """An offer that may still be picked from."""

    event: SongsOffered
    camera_id: str
    picked: str | None = None
    """id of the song"""


class SiteState:
    """Applies events in the order of their streams; the same event twice counts once. All of it is bounded."""

    def __init__(self, camera_id: str) -> None:
        """``camera_id`` is the first camera of the site, unless there are cameras and none of that name."""
        self._camera_id = camera_id
        self.cameras: Bounded[str, CameraView] = Bounded(MAX_CAMERAS)
        self.offers: Bounded[str, OpenOffer] = Bounded(MAX_OFFERS)
        self.status: Bounded[tuple[str, str | None], StatusChanged] = Bounded(MAX_STATUSES)
        """by service and part"""
        self.playback: PlaybackChanged | None = None
        self.volume_before_mute: int | None = None
        """the last volume that was not silence, percent"""
        self._seen: Bounded[str, None] = Bounded(MAX_IDS)
        self._gone: Bounded[str, None] = Bounded(MAX_CAMERAS)

    @property
    def camera_id(self) -> str:
        """The site's first camera: that of pages, and of events that name neither a camera nor a known visit."""
        known = self.parts_of("camera")
        return min(known) if known and self._camera_id not in known else self._camera_id

    @property
    def browser_cameras(self) -> set[str]:
        """Cameras whose pictures come through the gateway: of browsers and of programs."""
        return self.parts_of("gateway")

    def parts_of(self, service: str) -> set[str]:
        """Parts of a service that have published a status; of the camera service these are its cameras."""
        return {part for name, part in self.status if name == service and part}

    def knows(self, camera_id: str) -> bool:
        """Whether there is a camera of that name: that of the settings, or one that events have told of."""
        told = camera_id in self.cameras or camera_id in self.parts_of("camera") | self.browser_cameras
        return told or camera_id == self.camera_id

    def has_gone(self, camera_id: str) -> bool:
        """Whether it was a browser's camera that has gone: what was asked about it a moment before is no mistake."""
        return camera_id in self._gone

    def apply(self, event: Event) -> bool:
        """Take in one event; False when it was known already."""
        if isinstance(event, FacesRead):
            self._count_frame(event)
            return True
        if event.id in self._seen:
            return False
        self._seen[event.id] = None
        match event:
            case MoodChanged():
                self._change_mood(event)
            case SongsOffered():
                self._open_offer(event)
            case SongPicked():
                self.pick(event.offer_id, event.song_id)
            case SongsRanked():
                self._show_ranking(event)
            case PlaybackChanged():
                self.playback, self.volume_before_mute = event, event.volume or self.volume_before_mute
            case StatusChanged():
                self._change_status(event)
        return True

    def expire(self, now: datetime) -> list[MoodChanged]:
        """End the visits whose next mood is overdue, since whoever published them has gone silent; gives their ends."""
        moods = [view.mood for view in self.cameras.values() if view.mood is not None]
        ends = [_end_of(mood, now) for mood in moods if mood.phase != "end" and mood.expires_at < now]
        for end in ends:
            self._change_mood(end)
        return ends

    def pick(self, offer_id: str, song_id: str) -> None:
        """The first pick of an offer stands; that of an unknown offer is ignored."""
        offer = self.offers.get(offer_id)
        if offer is None or offer.picked is not None:
            return
        offer.picked = song_id
        view = self.cameras.get(offer.camera_id)
        if view and view.offer and view.offer.id == offer_id:
            view.picked = song_id

    def ranking_of(self, offer_id: str) -> SongsRanked | None:
        """The ranking that is shown after an offer, by the id of either."""
        rankings = (view.ranking for view in self.cameras.values() if view.ranking)
        return next((ranking for ranking in rankings if offer_id in (ranking.id, ranking.offer_id)), None)

    def session_of(self, camera_id: str) -> str | None:
        """The session at a camera, if anybody is there."""
        view = self.cameras.get(camera_id)
        return view.session_id if view else None

    def camera_of(self, event: Event) -> str | None:
        """The camera that an event is about, where it is about one."""
        if isinstance(event, StatusChanged):
            return event.part if event.service in ("camera", "gateway") else None
        named: str | None = getattr(event, "camera_id", None)
        return named or (self._camera_of_session(event.session_id) if event.session_id else None)

    def _view(self, camera_id: str) -> CameraView:
        """Of a camera, which now counts as the newest."""
        view = self.cameras[camera_id] = self.cameras.get(camera_id) or CameraView()
        return view

    def _count_frame(self, event: FacesRead) -> None:
        view = self._view(event.camera_id)
        view.frames += 1
        view.last_frame_at = event.captured_at

    def _change_mood(self, event: MoodChanged) -> None:
        view = self._view(event.camera_id)
        if event.phase == "end" or (view.session_id and event.session_id != view.session_id):
            self._forget_visit(view)
        view.mood = event
        if event.phase == "end" and self._has_left(event.camera_id):
            del self.cameras[event.camera_id]

    def _open_offer(self, event: SongsOffered) -> None:
        camera_id = event.camera_id or self._camera_of_session(event.session_id)
        view = self._view(camera_id)
        if view.concerns(event):
            self.offers[event.id] = OpenOffer(event, camera_id)
            view.offer, view.picked, view.ranking = event, None, None

    def _show_ranking(self, event: SongsRanked) -> None:
        offer = self.offers.get(event.offer_id)
        view = self._view(offer.camera_id if offer else self._camera_of_session(event.session_id))
        is_late = view.offer is not None and view.offer.id != event.offer_id
        if view.concerns(event) and not is_late:
            view.ranking, view.picked = event, event.picked.id

    def _change_status(self, event: StatusChanged) -> None:
        if event.service == "gateway" and event.part and event.state == "offline":
            # The camera of a browser is gone for good: its id is never used again.
            self.status.pop((event.service, event.part), None)
            self.cameras.pop(event.part, None)
            self._gone[event.part] = None
        else:
            self.status[event.service, event.part] = event

    def _camera_of_session(self, session_id: str | None) -> str:
        for name, view in self.cameras.items():
            if session_id and view.session_id == session_id:
                return name
        return self.camera_id

    def _has_left(self, camera_id: str) -> bool:
        """Whether a camera went away before its last events came in."""
        return camera_id != self.camera_id and all(part != camera_id for _, part in self.status)

    def _forget_visit(self, view: CameraView) -> None:
        if session_id := view.session_id:
            for offer_id in [name for name, offer in self.offers.items() if offer.event.session_id == session_id]:
                del self.offers[offer_id]
        view.offer = view.picked = view.ranking = None


def _end_of(mood: MoodChanged, now: datetime) -> MoodChanged:
    return mood.model_copy(
        update={
            "phase": "end",
            "mood": Mood.NOBODY,
            "before": mood.mood,
            "confidence": 0.0,
            "probabilities": None,
            "valence": 0.0,
            "arousal": 0.0,
            "faces": 0,
            "since": now,
            "at": now,
        }
    )
