"""The messages in a datagram, as lenient as other receivers of Open Sound Control are.

Source: https://opensoundcontrol.stanford.edu/spec-1_0.html. Time tags are not waited for: the clocks of two machines on
a stage differ, and a command is meant for now.
"""

import struct
from collections.abc import Iterator

from pythonosc.osc_message import OscMessage, ParseError

BUNDLE = b"#bundle\0"
HEADER_BYTES = len(BUNDLE) + 8
MAX_DEPTH = 8
MAX_ADDRESS = 200
LIKE_OTHERS = str.maketrans({"S": "s", "c": "i", "I": "N"})
"""Type tags that the library does not read, and tags whose data look the same: symbol, character, infinitum."""


def messages_in(datagram: bytes, depth: int = 0) -> Iterator[OscMessage]:
    """The messages of a datagram or of its bundles; what is neither is left out."""
    if datagram.startswith(BUNDLE):
        if depth < MAX_DEPTH:
            for element in _elements(datagram[HEADER_BYTES:]):
                yield from messages_in(element, depth + 1)
    elif datagram.startswith(b"/"):
        try:
            yield OscMessage(_with_known_tags(datagram))
        except (ParseError, ValueError, struct.error):  # cut short, or text that is not UTF-8
            return


def _elements(content: bytes) -> Iterator[bytes]:
    """The elements of a bundle: each follows its size."""
    while len(content) >= 4:
        size = int.from_bytes(content[:4], "big")
        if not 0 < size <= len(content) - 4:
            return
        yield content[4 : 4 + size]
        content = content[4 + size :]


def _with_known_tags(message: bytes) -> bytes:
    """The message with type tags that the library reads; where old senders wrote none, all arguments are text."""
    address, rest = _text(message)
    if len(address) > MAX_ADDRESS:
        raise ValueError("the address is too long")
    if not rest:
        return message
    if rest.startswith(b","):
        tags, arguments = _text(rest)
        return _padded(address) + _padded(tags.decode().translate(LIKE_OTHERS).encode()) + arguments
    count, left = 0, rest
    while left:
        _, left = _text(left)
        count += 1
    return _padded(address) + _padded(b"," + b"s" * count) + rest


def _text(data: bytes) -> tuple[bytes, bytes]:
    """A text, and what follows the zeros that fill it up to four bytes. Raises ValueError when it has no end."""
    end = data.index(0)
    return data[:end], data[(end // 4 + 1) * 4 :]


def _padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)
