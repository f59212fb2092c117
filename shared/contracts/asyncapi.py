"""The contract as an AsyncAPI 3.0 document, from the side of a program that listens and asks.

Payloads are Schema Objects of AsyncAPI (JSON Schema draft 7), all of them under ``components/schemas``, since parsers
and generators find no schema that lies inside another.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from moodstream.contracts.events import EVENTS, Event, ReplyGiven, RequestMade
from moodstream.contracts.requests import ANSWERED_BY, KINDS, family
from moodstream.contracts.streams import DEAD_SUFFIX, FRAMES, STREAMS
from shared.contracts.request_examples import EXAMPLES

Schema = dict[str, Any]

REQUESTS, REPLIES = STREAMS[RequestMade].name, STREAMS[ReplyGiven].name
CORRELATION = "a reply names its request"


def asyncapi(
    schemas: Mapping[str, Schema],
    bodies: Mapping[str, Schema],
    results: Mapping[str, Schema],
    version: str,
    prefix: str,
) -> Schema:
    """The whole document, from the JSON Schemas of the events by name, and of the requests by kind."""
    components = _components((*schemas.values(), *bodies.values(), *results.values()))
    messages = {event.__name__: _event_message(event) for event in EVENTS}
    for example in EXAMPLES:
        kind = example.request.KIND
        made, given = example.made(), example.given().model_dump(mode="json")
        components[_asks(kind)] = _request_schema(kind, components["RequestMade"], bodies[kind])
        components[_answers(kind)] = _reply_schema(kind, components["ReplyGiven"], results[kind])
        messages[_asks(kind)] = _message(_asks(kind), KINDS[kind].__doc__, "$message.payload#/id", made)
        told = f"The answer to {kind}."
        messages[_answers(kind)] = _message(_answers(kind), told, "$message.payload#/request_id", given)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Moodstream events and requests",
            "version": version,
            "description": (
                f"Redis Streams; the prefix {prefix!r} is a setting. Each entry has one field, __data__, "
                f"with bare JSON. Not public: {prefix}{FRAMES}. What cannot be handled lies in <stream>{DEAD_SUFFIX}."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {stream.name: _channel(event, prefix) for event, stream in STREAMS.items()},
        "operations": {
            **{f"receive_{stream.name}": _receive(event, stream.name) for event, stream in STREAMS.items()},
            **{f"ask_{kind.replace('.', '_')}": _ask(kind) for kind in KINDS},
        },
        "components": {"messages": messages, "schemas": components},
    }


def _asks(kind: str) -> str:
    return f"{KINDS[kind].__name__}Request"


def _answers(kind: str) -> str:
    return f"{KINDS[kind].__name__}Reply"


def _channel(event: type[Event], prefix: str) -> Schema:
    stream = STREAMS[event]
    names = [event.__name__]
    if event is RequestMade:
        names += [_asks(kind) for kind in KINDS]
    if event is ReplyGiven:
        names += [_answers(kind) for kind in KINDS]
    return {
        "address": prefix + stream.name,
        "title": event.__name__,
        "description": f"{event.__doc__} About {stream.kept:,} are kept.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _receive(event: type[Event], channel: str) -> Schema:
    return {"action": "receive", **_on(channel, event.__name__)}


def _ask(kind: str) -> Schema:
    return {
        "action": "send",
        "summary": KINDS[kind].__doc__,
        "description": f"The service {ANSWERED_BY[family(kind)]} answers.",
        **_on(REQUESTS, _asks(kind)),
        "reply": _on(REPLIES, _answers(kind)),
    }


def _on(channel: str, message: str) -> Schema:
    reference = f"#/channels/{channel}"
    return {"channel": {"$ref": reference}, "messages": [{"$ref": f"{reference}/messages/{message}"}]}


def _event_message(event: type[Event]) -> Schema:
    return {
        "name": event.__name__,
        "contentType": "application/json",
        "summary": event.__doc__,
        "payload": _reference(event.__name__),
    }


def _message(name: str, summary: str | None, correlation: str, example: Any) -> Schema:
    return {
        "name": name,
        "contentType": "application/json",
        "summary": summary,
        "correlationId": {"description": CORRELATION, "location": correlation},
        "payload": _reference(name),
        "examples": [{"payload": example}],
    }


def _request_schema(kind: str, made: Schema, body: Schema) -> Schema:
    """What is needed to ask; services fill in the rest of a RequestMade."""
    properties = made["properties"] | {"kind": {"type": "string", "const": kind}, "body": _reference(body["title"])}
    required = ["id", "kind", "body"] if body.get("required") else ["id", "kind"]
    return made | {
        "title": _asks(kind),
        "description": KINDS[kind].__doc__,
        "properties": properties,
        "required": required,
    }


def _reply_schema(kind: str, given: Schema, result: Schema) -> Schema:
    told = {"anyOf": [_reference(result["title"]), {"type": "null"}], "description": "null where there is an error"}
    properties = given["properties"] | {"result": told}
    return given | {
        "title": _answers(kind),
        "description": f"The answer to {kind}.",
        "properties": properties,
    }


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _components(schemas: Iterable[Schema]) -> dict[str, Schema]:
    """Every model by its name, those too that lie inside others. Raises ValueError when two have one name."""
    found: dict[str, Schema] = {}
    for schema in schemas:
        whole = {name: part for name, part in schema.items() if name not in ("$schema", "$defs")}
        for name, part in {schema["title"]: whole, **schema.get("$defs", {})}.items():
            component = _draft_7(part)
            if found.setdefault(name, component) != component:
                raise ValueError(f"two models have the name {name}")
    return found


def _draft_7(part: Any) -> Any:
    """References to components, and tuples as draft 7 writes them."""
    if isinstance(part, list):
        return [_draft_7(one) for one in part]
    if not isinstance(part, dict):
        return part
    renamed = {"items" if name == "prefixItems" else name: _draft_7(value) for name, value in part.items()}
    if isinstance(renamed.get("$ref"), str):
        renamed["$ref"] = renamed["$ref"].replace("#/$defs/", "#/components/schemas/")
    return renamed
