"""Events on the wire are bare JSON in the one field ``__data__``, readable with ``redis-cli XRANGE``.

FastStream's own envelope around the JSON is understood as well: a plain FastStream program writes it.
"""

import json
from typing import Any

from faststream.message import encode_message
from faststream.redis.parser import BinaryMessageFormatV1, MessageFormat

from moodstream.contracts.requests import completed

JSON = "application/json"


class BareJson(MessageFormat):
    """The payload as it is: no envelope and no headers, since every event carries its own ids."""

    @classmethod
    async def encode(cls, *, message: Any, serializer: Any = None, **_: Any) -> bytes:
        payload, _content_type = encode_message(message, serializer)
        return payload

    @classmethod
    def parse(cls, data: bytes) -> tuple[bytes, dict[str, Any]]:
        body, headers = unwrapped(data)
        return body, {"content-type": JSON, "correlation_id": headers.get("correlation_id")}


def unwrapped(data: bytes) -> tuple[bytes, dict[str, Any]]:
    """The JSON of an entry and the headers around it, which only FastStream's envelope has."""
    if not data.startswith(BinaryMessageFormatV1.IDENTITY_HEADER):
        return data, {}
    return BinaryMessageFormatV1.parse(data)


def request_of(data: bytes, entry_id: str) -> Any:
    """The fields of a request in an entry, completed. Raises ValueError or RecursionError."""
    body, headers = unwrapped(data)
    return completed(json.loads(body), entry_id, headers.get("correlation_id"))
