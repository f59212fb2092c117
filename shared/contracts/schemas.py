"""The public contract as files: a JSON Schema per event, an AsyncAPI 3.0 document, and a page for people.

``python -m shared.contracts.schemas`` writes them under ``docs/``; a test compares what is committed with the models.
"""

import json
import sys
from pathlib import Path
from typing import Any

from moodstream.contracts.events import EVENTS
from moodstream.contracts.streams import DEAD_SUFFIX, FRAMES, STREAMS
from shared.contracts.event_page import page

VERSION = "1.0.0"
PREFIX = "mood:"
_ROOT = Path(__file__).parents[2]


def documents() -> dict[str, str]:
    """Path below ``docs/`` to text, for every generated file."""
    schemas = {event.__name__: _schema(event) for event in EVENTS}
    files = {f"schemas/{name}.json": _text(schema) for name, schema in schemas.items()}
    return files | {"asyncapi.json": _text(asyncapi()), "events.html": page(schemas, VERSION, PREFIX)}


def asyncapi() -> dict[str, Any]:
    """All channels with their messages."""
    channels: dict[str, Any] = {
        stream.name: {
            "address": PREFIX + stream.name,
            "title": event.__name__,
            "description": f"{event.__doc__} About {stream.kept:,} are kept.",
            "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        }
        for event, stream in STREAMS.items()
    }
    messages = {
        event.__name__: {
            "name": event.__name__,
            "contentType": "application/json",
            "summary": event.__doc__,
            "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": _schema(event)},
        }
        for event in EVENTS
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Moodstream events",
            "version": VERSION,
            "description": (
                f"Redis Streams; the prefix {PREFIX!r} is a setting. Each entry has one field, __data__, "
                f"with bare JSON. Not public: {PREFIX}{FRAMES}. What cannot be handled lies in <stream>{DEAD_SUFFIX}."
            ),
            "license": {"name": "MIT"},
        },
        "channels": channels,
        "operations": {
            f"receive_{name}": {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}} for name in channels
        },
        "components": {"messages": messages},
    }


def _schema(event: Any) -> dict[str, Any]:
    schema: dict[str, Any] = event.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the files."""
    for name, text in documents().items():
        file = _ROOT / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
