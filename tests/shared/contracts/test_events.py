"""Events: frozen, tolerant readers, one stream each."""

import json

import pytest
from pydantic import ValidationError

from moodstream.contracts.events import EVENTS, Asking, MoodChanged, Probabilities, Song, StatusChanged, expiry
from moodstream.contracts.moods import COORDINATES, MOODS, Mood, expectation, quadrant
from moodstream.contracts.streams import EVENT_OF_STREAM, STREAMS


def test_every_event_has_one_stream_and_its_name_as_type() -> None:
    assert set(STREAMS) == set(EVENTS)
    assert len(EVENT_OF_STREAM) == len(EVENTS)
    for event in EVENTS:
        assert event.model_fields["type"].default == event.__name__


def test_events_cannot_be_changed() -> None:
    event = StatusChanged(service="camera", state="online")
    with pytest.raises(ValidationError):
        event.state = "offline"


def test_times_are_utc_and_rfc_3339() -> None:
    at = json.loads(StatusChanged(service="camera", state="online").model_dump_json())["at"]
    assert at.endswith("Z")


def test_what_asks_for_an_action_expires() -> None:
    for event in EVENTS:
        assert issubclass(event, Asking) == ("expires_at" in event.model_fields and event is not MoodChanged)
    with pytest.raises(TypeError):
        expiry(StatusChanged)


def test_probabilities_stand_in_the_order_of_the_network() -> None:
    assert MOODS == (Mood.ANGRY, Mood.HAPPY, Mood.SAD, Mood.CALM)
    assert Probabilities(angry=0.1, happy=0.2, sad=0.3, calm=0.4).in_order() == (0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(("artist", "name"), [("Nobody", "Song - Nobody"), ("", "Song")])
def test_a_song_without_an_artist_is_called_by_its_title(artist: str, name: str) -> None:
    assert Song(id="1", title="Song", artist=artist).name == name


@pytest.mark.parametrize("mood", MOODS)
def test_each_mood_lies_in_its_quadrant(mood: Mood) -> None:
    assert quadrant(*COORDINATES[mood]) is mood
    certain = [float(one == mood) for one in MOODS]
    assert expectation(certain) == pytest.approx(COORDINATES[mood])


def test_equal_shares_lie_in_the_middle() -> None:
    assert expectation([0.25] * 4) == pytest.approx((0, 0))
