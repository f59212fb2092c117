"""Both sides of a conversation, compared with a published OpenAPI description."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.testing import MockRequest, MockResponse

from services.player.spotify.simulator.recorder import Exchange

HOST = "https://api.spotify.com"
ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["status", "message"],
            "properties": {"status": {"type": "integer"}, "message": {"type": "string"}},
        }
    },
}


class Described:
    def __init__(self, file: Path) -> None:
        self._api = OpenAPI.from_dict(_plain(yaml.safe_load(file.read_text())))
        self.answers = 0

    def check_request(self, one: Exchange) -> None:
        try:
            self._api.validate_request(self._request(one))
        except OpenAPIError as error:
            raise AssertionError(f"{one.method} {one.path}?{one.query} {one.body!r}: {error!r}") from error

    def check_answer(self, one: Exchange) -> None:
        kind = one.answer_headers.get("content-type", "application/json")
        try:
            self._api.validate_response(self._request(one), MockResponse(one.answer, one.status, content_type=kind))
        except ResponseNotFound:
            assert one.status >= 400
            jsonschema.validate(json.loads(one.answer), ERROR)
        except OpenAPIError as error:
            raise AssertionError(f"{one.method} {one.path} {one.status} {one.answer!r}: {error!r}") from error
        if one.status >= 400:
            assert json.loads(one.answer)["error"]["status"] == one.status
        self.answers += 1

    def _request(self, one: Exchange) -> MockRequest:
        query = {name: values[0] if len(values) == 1 else values for name, values in parse_qs(one.query).items()}
        return MockRequest(
            HOST,
            one.method.lower(),
            one.path,
            args=query,
            headers=one.headers,
            data=one.body or None,
            content_type=one.headers.get("content-type", "application/json"),
        )


def _plain(part: Any) -> Any:
    """Without discriminators: those of the description name schemas that it does not have."""
    if isinstance(part, dict):
        return {name: _plain(value) for name, value in part.items() if name != "discriminator"}
    return [_plain(value) for value in part] if isinstance(part, list) else part
