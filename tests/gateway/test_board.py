"""What is true now, from events in any order that the streams may bring them in."""

import json
from typing import Any

from moodstream.contracts.events import MoodChanged, SongsOffered, StatusChanged
from moodstream.contracts.moods import Mood
from services.gateway.state.board import CAMERAS_KEPT, Board
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


def state(board: Board) -> dict[str, Any]:
    snapshot: dict[str, Any] = json.loads(board.to_json())
    return snapshot


def visit(board: Board) -> tuple[MoodChanged, SongsOffered]:
    """Somebody came and was offered songs."""
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(mood)
    for event in (mood, offer):
        assert board.apply(event)
    return mood, offer


def test_a_visit_is_put_together() -> None:
    board = Board(CAMERA)
    mood, offer = visit(board)
    pick = picked(offer)
    ranking = ranked(pick)
    for event in (pick, ranking, playing(), camera_online()):
        board.apply(event)
    camera = state(board)["cameras"][CAMERA]
    assert camera["mood"]["id"] == mood.id
    assert [song["title"] for song in camera["offer"]["songs"]] == [song.title for song in OFFERED]
    assert camera["picked"] == OFFERED[1].id
    assert camera["ranking"]["ranking"][0]["similarity"] == 0.97
    assert state(board)["playback"]["state"] == "playing"
    assert state(board)["status"][0]["code"] == "drawn"


def test_the_end_of_a_visit_forgets_it() -> None:
    board = Board(CAMERA)
    mood, offer = visit(board)
    board.apply(picked(offer))
    board.apply(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    camera = state(board)["cameras"][CAMERA]
    assert (camera["offer"], camera["picked"], camera["ranking"]) == (None, None, None)
    assert offer.id not in board.offers
    assert board.session_of(CAMERA) is None


def test_what_comes_after_the_end_of_its_visit_is_not_shown() -> None:
    board = Board(CAMERA)
    mood, offer = visit(board)
    board.apply(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    board.apply(offered(mood, id=new_session()))
    board.apply(ranked(picked(offer)))
    camera = state(board)["cameras"][CAMERA]
    assert (camera["offer"], camera["ranking"]) == (None, None)


def test_a_new_visit_without_a_farewell_forgets_the_last() -> None:
    board = Board(CAMERA)
    _, offer = visit(board)
    board.apply(mood_changed(Mood.SAD, new_session(), phase="start"))
    assert state(board)["cameras"][CAMERA]["offer"] is None
    assert offer.id not in board.offers


def test_a_late_ranking_does_not_cover_a_newer_offer() -> None:
    board = Board(CAMERA)
    mood, offer = visit(board)
    newer = offered(mood_changed(Mood.SAD, mood.session_id))
    board.apply(newer)
    board.apply(ranked(picked(offer)))
    camera = state(board)["cameras"][CAMERA]
    assert camera["offer"]["id"] == newer.id
    assert camera["ranking"] is None


def test_the_same_event_counts_once() -> None:
    board = Board(CAMERA)
    _, offer = visit(board)
    board.apply(picked(offer))
    assert board.apply(offer) is False
    assert state(board)["cameras"][CAMERA]["picked"] == OFFERED[1].id


def test_the_first_pick_of_an_offer_stands() -> None:
    board = Board(CAMERA)
    _, offer = visit(board)
    board.song_picked(offer.id, OFFERED[0].id)
    board.song_picked(offer.id, OFFERED[1].id)
    assert board.offers[offer.id].picked == OFFERED[0].id


def test_an_offer_without_a_camera_finds_it_by_its_visit() -> None:
    board = Board(CAMERA)
    board.apply(mood_changed(Mood.CALM, new_session(), phase="start"))
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start", camera_id="camera-2")
    board.apply(mood)
    board.apply(offered(mood, camera_id=None))
    cameras = state(board)["cameras"]
    assert cameras["camera-2"]["offer"] is not None
    assert cameras[CAMERA]["offer"] is None


def test_frames_are_counted_and_nothing_else_of_them_is_kept() -> None:
    board = Board(CAMERA)
    for seq in range(3):
        board.apply(faces_read(seq=seq))
    camera = state(board)["cameras"][CAMERA]
    assert camera["frames"] == 3
    assert camera["last_frame_at"] is not None
    assert "box" not in board.to_json()


def test_the_camera_of_a_browser_that_left_is_gone_even_if_late_events_come() -> None:
    board = Board(CAMERA)
    name, session_id = "browser-0123456789ab", new_session()
    board.apply(StatusChanged(service="gateway", part=name, state="online"))
    board.apply(mood_changed(Mood.HAPPY, session_id, phase="start", camera_id=name))
    assert name in state(board)["cameras"]
    board.apply(StatusChanged(service="gateway", part=name, state="offline", code="end_of_input"))
    board.apply(faces_read(name))
    board.apply(mood_changed(Mood.NOBODY, session_id, phase="end", camera_id=name))
    assert state(board)["cameras"] == {}
    assert state(board)["status"] == []


def test_what_is_kept_is_bounded() -> None:
    board = Board(CAMERA)
    for number in range(3 * CAMERAS_KEPT):
        board.apply(faces_read(f"camera-{number}"))
        board.apply(faces_read())
    assert len(board.cameras) == CAMERAS_KEPT
    assert CAMERA in board.cameras
