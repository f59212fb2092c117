"""What is committed under docs/ is what the models say, and real events keep to it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from moodstream.contracts.events import EVENTS, MoodChanged, Probabilities, expiry, utc_now
from moodstream.contracts.moods import Mood
from shared.contracts.schemas import documents

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", sorted(documents()))
def test_committed_files_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == documents()[name], "run: make contract"


def test_no_file_of_an_event_that_is_gone_remains() -> None:
    assert {file.stem for file in (DOCS / "schemas").iterdir()} == {event.__name__ for event in EVENTS}


def test_a_real_event_keeps_to_its_schema() -> None:
    event = MoodChanged(
        phase="start",
        reason="change",
        camera_id="c",
        mood=Mood.HAPPY,
        before=Mood.NOBODY,
        confidence=0.8,
        probabilities=Probabilities(angry=0, happy=0.8, sad=0.1, calm=0.1),
        valence=0.4,
        arousal=0.4,
        faces=1,
        since=utc_now(),
        expires_at=expiry(MoodChanged),
        model="m",
    )
    validator = Draft202012Validator(json.loads((DOCS / "schemas" / "MoodChanged.json").read_text()))
    body = json.loads(event.model_dump_json())
    validator.validate(body)
    assert not validator.is_valid(body | {"mood": "bored"})
    assert not validator.is_valid({name: value for name, value in body.items() if name != "camera_id"})
