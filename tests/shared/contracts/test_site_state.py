"""What is true now, from events in any order that the streams may bring them in."""

from datetime import timedelta

from moodstream.contracts.events import MoodChanged, SongsOffered, StatusChanged
from moodstream.contracts.moods import Mood
from shared.contracts.site_state import MAX_CAMERAS, SiteState
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


def visit(state: SiteState) -> tuple[MoodChanged, SongsOffered]:
    """Somebody came and was offered songs."""
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start")
    offer = offered(mood)
    for event in (mood, offer):
        assert state.apply(event)
    return mood, offer


def test_a_visit_is_put_together() -> None:
    state = SiteState(CAMERA)
    mood, offer = visit(state)
    pick = picked(offer)
    ranking, playback, status = ranked(pick), playing(), camera_online()
    for event in (pick, ranking, playback, status):
        assert state.apply(event)
    camera = state.cameras[CAMERA]
    assert (camera.mood, camera.offer, camera.picked, camera.ranking) == (mood, offer, OFFERED[1].id, ranking)
    assert state.session_of(CAMERA) == mood.session_id
    assert state.playback == playback
    assert state.status == {("camera", CAMERA): status}
    assert (state.parts_of("camera"), state.browser_cameras) == ({CAMERA}, set())


def test_the_end_of_a_visit_forgets_it() -> None:
    state = SiteState(CAMERA)
    mood, offer = visit(state)
    state.apply(picked(offer))
    state.apply(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    camera = state.cameras[CAMERA]
    assert (camera.offer, camera.picked, camera.ranking) == (None, None, None)
    assert offer.id not in state.offers
    assert state.session_of(CAMERA) is None


def test_what_comes_after_the_end_of_its_visit_is_not_shown() -> None:
    state = SiteState(CAMERA)
    mood, offer = visit(state)
    state.apply(mood_changed(Mood.NOBODY, mood.session_id, phase="end"))
    state.apply(offered(mood, id=new_session()))
    state.apply(ranked(picked(offer)))
    camera = state.cameras[CAMERA]
    assert (camera.offer, camera.ranking) == (None, None)


def test_a_new_visit_without_a_farewell_forgets_the_last() -> None:
    state = SiteState(CAMERA)
    _, offer = visit(state)
    state.apply(mood_changed(Mood.SAD, new_session(), phase="start"))
    assert state.cameras[CAMERA].offer is None
    assert offer.id not in state.offers


def test_a_late_ranking_does_not_cover_a_newer_offer() -> None:
    state = SiteState(CAMERA)
    mood, offer = visit(state)
    newer = offered(mood_changed(Mood.SAD, mood.session_id))
    state.apply(newer)
    state.apply(ranked(picked(offer)))
    camera = state.cameras[CAMERA]
    assert camera.offer == newer
    assert camera.ranking is None


def test_the_same_event_counts_once() -> None:
    state = SiteState(CAMERA)
    _, offer = visit(state)
    state.apply(picked(offer))
    assert state.apply(offer) is False
    assert state.cameras[CAMERA].picked == OFFERED[1].id


def test_the_first_pick_of_an_offer_stands() -> None:
    state = SiteState(CAMERA)
    _, offer = visit(state)
    state.pick(offer.id, OFFERED[0].id)
    state.pick(offer.id, OFFERED[1].id)
    assert state.offers[offer.id].picked == OFFERED[0].id


def test_an_offer_without_a_camera_finds_it_by_its_visit() -> None:
    state = SiteState(CAMERA)
    state.apply(mood_changed(Mood.CALM, new_session(), phase="start"))
    mood = mood_changed(Mood.HAPPY, new_session(), phase="start", camera_id="camera-2")
    state.apply(mood)
    offer = offered(mood, camera_id=None)
    state.apply(offer)
    assert state.camera_of(offer) == "camera-2"
    assert state.cameras["camera-2"].offer is not None
    assert state.cameras[CAMERA].offer is None


def test_frames_are_counted_and_nothing_else_of_them_is_kept() -> None:
    state = SiteState(CAMERA)
    readings = [faces_read(seq=seq) for seq in range(3)]
    for reading in readings:
        assert state.apply(reading)
    camera = state.cameras[CAMERA]
    assert camera.frames == 3
    assert camera.last_frame_at == readings[-1].captured_at
    assert not {type(value) for value in vars(camera).values()} & {type(readings[0]), type(readings[0].faces[0])}


def test_the_camera_of_a_browser_that_left_is_gone_even_if_late_events_come() -> None:
    state = SiteState(CAMERA)
    name, session_id = "browser-0123456789ab", new_session()
    state.apply(StatusChanged(service="gateway", part=name, state="online"))
    state.apply(mood_changed(Mood.HAPPY, session_id, phase="start", camera_id=name))
    assert name in state.cameras
    assert state.browser_cameras == {name}
    state.apply(StatusChanged(service="gateway", part=name, state="offline", code="end_of_input"))
    state.apply(faces_read(name))
    state.apply(mood_changed(Mood.NOBODY, session_id, phase="end", camera_id=name))
    assert state.cameras == {}
    assert state.status == {}
    assert state.browser_cameras == set()


def test_a_visit_whose_next_mood_is_overdue_ends_once() -> None:
    state = SiteState(CAMERA)
    mood, offer = visit(state)
    assert state.expire(mood.expires_at) == []
    late = mood.expires_at + timedelta(seconds=1)
    (end,) = state.expire(late)
    assert (end.phase, end.mood, end.before, end.faces, end.at) == ("end", Mood.NOBODY, mood.mood, 0, late)
    assert state.session_of(CAMERA) is None
    assert offer.id not in state.offers
    assert state.expire(late) == []


def test_the_volume_before_a_mute_is_remembered() -> None:
    state = SiteState(CAMERA)
    for volume in (70, 0, None):
        state.apply(playing(volume=volume))
        assert state.volume_before_mute == 70


def test_what_is_kept_is_bounded() -> None:
    state = SiteState(CAMERA)
    for number in range(3 * MAX_CAMERAS):
        state.apply(faces_read(f"camera-{number}"))
        state.apply(faces_read())
    assert len(state.cameras) == MAX_CAMERAS
    assert CAMERA in state.cameras
