"""What the one field ``__data__`` of an entry holds.

Events are bare JSON, readable with ``redis-cli XRANGE``. FastStream's own envelope around the JSON is understood as
well: a plain FastStream program writes it. Frames and sounds are their bytes with headers in that envelope.
"""

import json
from datetime import datetime
from typing import Any, TypeVar

from faststream.message import encode_message
from faststream.redis.parser import BinaryMessageFormatV1, MessageFormat

from moodstream.contracts.events import Captured
from moodstream.contracts.requests import completed

JSON = "application/json"

C = TypeVar("C", bound=Captured)


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


async def encode_capture(capture: Captured) -> bytes:
    """Headers are handed over as bytes: FastStream 0.7 writes the length of text in characters, not in bytes."""
    headers = {
        "camera_id": capture.camera_id,
        "run_id": capture.run_id,
        "seq": str(capture.seq),
        "captured_at": capture.captured_at.isoformat(),
    }
    return await BinaryMessageFormatV1.encode(
        message=capture.body,
        reply_to=None,
        headers={name: value.encode() for name, value in headers.items()},
        correlation_id=f"{capture.run_id}-{capture.seq}".encode(),  # type: ignore[arg-type]
    )


def decode_capture(kind: type[C], headers: dict[str, str], body: bytes) -> C:
    """The frame or sound in a message. Raises KeyError or ValueError when a header is missing or wrong."""
    return kind(
        camera_id=headers["camera_id"],
        run_id=headers["run_id"],
        seq=int(headers["seq"]),
        captured_at=datetime.fromisoformat(headers["captured_at"]),
        **{kind.BODY: body},
    )
