"""Events on the wire are bare JSON in the one field ``__data__``, readable with ``redis-cli XRANGE``."""

from typing import Any

from faststream.message import encode_message
from faststream.redis.parser import MessageFormat

JSON = "application/json"


class BareJson(MessageFormat):
    """The payload as it is: no envelope and no headers, since every event carries its own ids."""

    @classmethod
    async def encode(cls, *, message: Any, serializer: Any = None, **_: Any) -> bytes:
        payload, _content_type = encode_message(message, serializer)
        return payload

    @classmethod
    def parse(cls, data: bytes) -> tuple[bytes, dict[str, Any]]:
        return data, {"content-type": JSON}
