"""What the OpenAPI document says beyond what FastAPI finds out by itself."""

import re
from typing import Any

from fastapi.routing import APIRoute

from moodstream.contracts.event_filter import RECORDED
from moodstream.contracts.ids import CAMERA_ID
from moodstream.contracts.moods import Mood
from services.gateway.bodies import Problem

EVENT_TYPES = tuple(event.__name__ for event in RECORDED)
"""The public events: no readings of faces, no requests."""
MAX_CAMERAS = 20
"""in one filter of events"""

ABOUT = """What visitors and programs may do at a running Moodstream. Refusals are `{"error": "one line"}`.
Requests that change something are taken from pages of this server and from programs, not from other sites' pages.
Live events are at `/events` (server-sent) and `/events/ws` (WebSocket)."""

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is not valid JSON"},
    401: {"model": Problem, "description": "The operator's token is needed"},
    403: {"model": Problem, "description": "Another site's page, or not the operator"},
    404: {"model": Problem, "description": "Not known, or over"},
    409: {"model": Problem, "description": "The service that was asked refuses"},
    413: {"model": Problem, "description": "The body is too big"},
    422: {"model": Problem, "description": "A field or parameter is wrong"},
    429: {"model": Problem, "description": "Too many requests from this address"},
    503: {"model": Problem, "description": "Redis does not answer"},
    504: {"model": Problem, "description": "The service that was asked does not answer"},
}

OPERATOR_ONLY: dict[str, Any] = {"security": [{"basic": []}, {"bearer": []}]}
NOTED: dict[str, Any] = {
    "openapi_extra": OPERATOR_ONLY,
    "responses": {507: {"model": Problem, "description": "It cannot be stored or noted, so it is not done"}},
}
"""Of what stands in the audit."""
_ANY_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
UPLOAD: dict[str, Any] = {
    "openapi_extra": {**OPERATOR_ONLY, "requestBody": {"required": True, "content": _ANY_FILE}},
    "responses": {415: {"model": Problem, "description": "The bytes are of another kind"}, **NOTED["responses"]},
}
CHANGES_SETTINGS: dict[str, Any] = {
    "openapi_extra": OPERATOR_ONLY,
    "responses": {
        412: {"model": Problem, "description": "Somebody else has changed the settings meanwhile"},
        428: {"model": Problem, "description": "If-Match is needed"},
        **NOTED["responses"],
    },
}
SECURITY_SCHEMES = {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}}

_JPEG = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
JPEG_BODY = {"requestBody": {"required": True, "content": _JPEG}}
_SOUND = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("audio/wav", "audio/flac", "audio/ogg")}
SOUND_BODY = {"requestBody": {"required": True, "content": _SOUND}}

SVG: dict[str, Any] = {
    "description": "The picture",
    "content": {"image/svg+xml": {"schema": {"type": "string"}}},
}

EVENT_STREAM = {"description": "Events, and first of all a `snapshot`", "content": {"text/event-stream": {}}}
_FILTERS = [
    {
        "name": name,
        "in": "query",
        "description": text,
        "schema": {"type": "array", "items": {"type": "string"} | allowed},
    }
    for name, text, allowed in (
        ("type", "Only events of these types.", {"enum": list(EVENT_TYPES)}),
        ("camera", f"Only of these cameras, at most {MAX_CAMERAS}.", {"pattern": CAMERA_ID}),
        ("mood", "Only events with these moods.", {"enum": [str(mood) for mood in Mood]}),
    )
]
_LAST_ID = {
    "name": "last_id",
    "in": "query",
    "description": "Id of the last event that was received; the header Last-Event-ID says the same.",
    "schema": {"type": "string"},
}
EVENT_FILTERS = {"parameters": [*_FILTERS, _LAST_ID]}


def operation_id(route: APIRoute) -> str:
    """The name that a generated client gives a route: of its path or its function, whichever tells more."""
    path, name = "_".join(re.findall(r"[a-z]+", route.path_format)), route.name
    if path.endswith(name):
        return path
    if "operator" in route.tags:
        return f"{path}_{name}"
    return name if "_" in name or name in path else f"{name}_{path}"
