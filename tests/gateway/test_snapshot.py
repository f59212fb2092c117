"""The state as pages read it."""

import json

from moodstream.contracts.moods import Mood
from services.gateway.state.kiosk import Kiosk
from services.gateway.state.opening_hours import ALWAYS
from services.gateway.state.snapshot import snapshot_of
from shared.contracts.site_state import SiteState
from tests.support.scenes import (
    CAMERA,
    OFFERED,
    camera_online,
    faces_read,
    mood_changed,
    new_session,
    offered,
    picked,
    playing,
    ranked,
)


def test_a_snapshot_has_all_that_is_true_now_and_no_face() -> None:
    state = SiteState(CAMERA)
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(mood)
    pick = picked(offer)
    for event in (mood, offer, pick, ranked(pick), playing(), camera_online(), faces_read()):
        state.apply(event)
    text = snapshot_of(state, ALWAYS, Kiosk(), browser_camera=True)
    assert "box" not in text
    assert "\n" not in text
    snapshot = json.loads(text)
    assert list(snapshot) == [
        "now",
        "camera_id",
        "browser_camera",
        "opening",
        "kiosk",
        "cameras",
        "playback",
        "volume_before_mute",
        "view",
        "status",
    ]
    camera = snapshot["cameras"][CAMERA]
    assert list(camera) == ["mood", "offer", "picked", "ranking", "frames", "last_frame_at"]
    assert camera["mood"]["id"] == mood.id
    assert [song["title"] for song in camera["offer"]["songs"]] == [song.title for song in OFFERED]
    assert camera["picked"] == OFFERED[1].id
    assert camera["ranking"]["ranking"][0]["similarity"] == 0.97
    assert camera["frames"] == 1
    assert camera["last_frame_at"] is not None
    assert snapshot["opening"] == {"open": True, "changes_at": None, "by": "hours"}
    assert snapshot["playback"]["state"] == "playing"
    assert snapshot["status"][0]["code"] == "drawn"
