"""What is committed under docs/ is what the models say, and real events and requests keep to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from moodstream.contracts.events import EVENTS, MoodChanged, Probabilities, expiry, utc_now
from moodstream.contracts.moods import Mood
from moodstream.contracts.requests import ANSWERED_BY, KINDS, family
from shared.contracts.asyncapi import asyncapi
from shared.contracts.request_examples import EXAMPLES
from shared.contracts.schemas import documents

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", sorted(documents()))
def test_committed_files_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == documents()[name], "run: make contract"


def test_no_file_of_an_event_that_is_gone_remains() -> None:
    assert {file.stem for file in (DOCS / "schemas").glob("*.json")} == {event.__name__ for event in EVENTS}
    files = {str(file.relative_to(DOCS)) for file in (DOCS / "schemas").rglob("*") if file.is_file()}
    assert files == {name for name in documents() if name.startswith("schemas/")}


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


@pytest.mark.parametrize("name", sorted(name for name in documents() if name.endswith(".json")))
def test_every_reference_leads_somewhere(name: str) -> None:
    document = json.loads(documents()[name])
    for reference in set(references(document)):
        root, *steps = reference.split("/")
        assert root == "#", f"{reference} leads out of the file"
        place = document
        for step in steps:
            assert step in place, reference
            place = place[step]


def test_references_are_looked_for_everywhere() -> None:
    document = json.loads(documents()["asyncapi.json"])
    found = set(references(document))
    assert {"#/channels/requests", "#/components/schemas/Song", "#/components/messages/OfferSongsRequest"} <= found
    assert not any("$defs" in reference for reference in found)
    assert "$defs" not in json.dumps(document)


def test_every_kind_of_request_can_be_sent_and_has_a_reply() -> None:
    document = json.loads(documents()["asyncapi.json"])
    asking = {name: one for name, one in document["operations"].items() if one["action"] == "send"}
    assert set(asking) == {f"ask_{kind.replace('.', '_')}" for kind in KINDS}
    for kind, request in KINDS.items():
        operation = asking[f"ask_{kind.replace('.', '_')}"]
        message, answer = (
            document["components"]["messages"][one["messages"][0]["$ref"].rpartition("/")[2]]
            for one in (operation, operation["reply"])
        )
        assert operation["channel"] == {"$ref": "#/channels/requests"}
        assert operation["reply"]["channel"] == {"$ref": "#/channels/replies"}
        assert (message["correlationId"]["location"], answer["correlationId"]["location"]) == (
            "$message.payload#/id",
            "$message.payload#/request_id",
        )
        fields = document["components"]["schemas"][message["name"]]["properties"]
        assert fields["kind"]["const"] == kind
        assert fields["body"] == {"$ref": f"#/components/schemas/{request.__name__}"}


def test_two_models_of_one_name_are_not_mixed_up() -> None:
    """The second would silently take the place of the first."""
    one: dict[str, Any] = {"title": "Same", "type": "object", "properties": {}}
    other = one | {"properties": {"a": {"type": "string"}}}
    with pytest.raises(ValueError, match="two models have the name Same"):
        asyncapi({"One": one}, {"a.b": other}, {}, "1", "mood:")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.request.KIND)
def test_the_example_of_a_request_keeps_to_all_schemas(example: Any) -> None:
    kind = example.request.KIND
    document = json.loads(documents()["asyncapi.json"])
    result = json.loads(example.reply.model_dump_json())
    for name, value in ((f"requests/{kind}", example.made()["body"]), (f"replies/{kind}", result)):
        Draft202012Validator(json.loads((DOCS / "schemas" / f"{name}.json").read_text())).validate(value)
    assert type(example.request).of(example.made()["body"]) == example.request
    assert example.request.reply_of(example.given()) == example.reply
    name = type(example.request).__name__
    for message in (f"{name}Request", f"{name}Reply"):
        told = document["components"]["messages"][message]
        validator = Draft7Validator({"components": document["components"], **told["payload"]})
        validator.validate(told["examples"][0]["payload"])
        assert not validator.is_valid({"kind": "another", "id": "1"})


def test_every_request_is_on_the_page_with_its_fields_and_who_answers() -> None:
    text = documents()["events.html"]
    for kind, request in KINDS.items():
        part = text[text.index(f'<section id="{kind}">') :].partition("</section>")[0]
        assert f"<td>{ANSWERED_BY[family(kind)]}</td>" in part
        fields = {*request.model_fields, *request.REPLY.model_fields} - {"root"}
        assert {name for name in fields if f"<td><code>{name}</code></td>" not in part} == set()
        assert f"&quot;kind&quot;: &quot;{kind}&quot;" in part
        assert "&quot;request_id&quot;: &quot;asked-1&quot;" in part
        assert part.count("<pre>") == 2


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
