"""The public contract as files: JSON Schemas of events and requests, an AsyncAPI 3.0 document, and a page for people.

``python -m shared.contracts.schemas`` writes them under ``docs/``; a test compares what is committed with the models.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from moodstream.contracts.events import EVENTS
from moodstream.contracts.requests import KINDS
from shared.contracts.asyncapi import asyncapi
from shared.contracts.event_page import page

VERSION = "1.0.0"
PREFIX = "mood:"
_ROOT = Path(__file__).parents[2]


def documents() -> dict[str, str]:
    """Path below ``docs/`` to text, for every generated file."""
    events = {event.__name__: _schema(event) for event in EVENTS}
    bodies = {kind: _schema(request) for kind, request in KINDS.items()}
    results = {kind: _schema(request.REPLY) for kind, request in KINDS.items()}
    files = {f"schemas/{name}.json": _text(schema) for name, schema in events.items()}
    files |= {f"schemas/requests/{kind}.json": _text(schema) for kind, schema in bodies.items()}
    files |= {f"schemas/replies/{kind}.json": _text(schema) for kind, schema in results.items()}
    files["asyncapi.json"] = _text(asyncapi(events, bodies, results, VERSION, PREFIX))
    files["events.html"] = page(events, bodies, results, VERSION, PREFIX)
    return files


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="serialization")
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
