"""Text of others at the edge of a terminal or a log: nothing in it moves the cursor, hides, or begins a new line.

What cannot be shown is written with its number, as JSON does, so lines of JSON stay what they mean.
"""

import re
from typing import Any, TextIO

_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_INVISIBLE = "\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
"""Ends of lines, what turns the direction of text around, and halves of characters."""
_IN_LINES = re.compile(f"[{_CONTROL}{_INVISIBLE}]")
_IN_A_LINE = re.compile(f"[{_CONTROL}\\t\\n{_INVISIBLE}]")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def plain(text: str) -> str:
    """On one line."""
    return _IN_A_LINE.sub(_escaped, text)


def plain_lines(text: str) -> str:
    """Its own line ends and tabs stay."""
    return _IN_LINES.sub(_escaped, text)


class PlainStream:
    """A text stream through which only plain text goes; what else it can, its ``raw`` stream does."""

    def __init__(self, stream: TextIO) -> None:
        self.raw = stream

    def write(self, text: str) -> int:
        self.raw.write(plain_lines(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def raw(stream: TextIO | None) -> Any:
    """For what draws on a terminal by itself: colours, progress, pictures."""
    return stream.raw if isinstance(stream, PlainStream) else stream
