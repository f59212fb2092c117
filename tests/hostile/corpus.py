"""Bad input, made from a seed: pictures that are none, and events that are nearly right."""

import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from moodstream.contracts.events import EVENTS, Event
from moodstream.contracts.moods import Mood
from services.emotion.faces.decode import MAX_BYTES
from tests.support.pictures import encoded, noise

GOOD = encoded(noise())
KINDS = (
    "empty",
    "html",
    "text",
    "truncated",
    "cut off",
    "oversized",
    "bomb",
    "other format",
    "flipped",
    "zeros",
    "markers",
)


def pictures(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """(kind, bytes), each kind as often as any other."""
    random = Random(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield kind, _picture(kind, random)


def _picture(kind: str, random: Random) -> bytes:
    match kind:
        case "empty":
            return b""
        case "html":
            return b"<!doctype html><html><body>404 " + random.randbytes(200).hex().encode()
        case "text":
            return random.randbytes(random.randint(1, 5000))
        case "truncated":
            return GOOD[: random.randint(1, GOOD.index(b"\xff\xda"))]
        case "cut off":
            return GOOD[: random.randint(len(GOOD) // 4, len(GOOD) - 2)]
        case "oversized":
            return GOOD + bytes(MAX_BYTES)
        case "bomb":
            side = random.choice((20_000, 40_000, 65_500))
            place = GOOD.index(b"\xff\xc0")
            return GOOD[: place + 5] + struct.pack(">HH", side, side) + GOOD[place + 9 :]
        case "other format":
            return random.choice(
                (encoded(noise(60, 60), ".png"), b"GIF89a" + bytes(50), b"RIFF" + bytes(90), b"BM" + bytes(60))
            )
        case "flipped":
            flipped = bytearray(GOOD)
            for _ in range(random.randint(1, 200)):
                flipped[random.randrange(3, len(flipped))] ^= 1 << random.randrange(8)
            return bytes(flipped)
        case "zeros":
            return GOOD[:4] + bytes(random.randint(1, 100_000))
        case _:
            return b"\xff\xd8\xff" + b"\xff\xe1\x00\x02" * random.randint(1, 100_000)


BAD: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    1e308,
    float("nan"),
    float("-inf"),
    "",
    "x" * 100_000,
    "\x00\x1b[2J\r\n%s{0}' OR 1=1;--<script>",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    [],
    [[[[[[]]]]]],
    {},
    {"$ref": "#", "__proto__": {"x": 1}},
    Mood.NOBODY,
)


def whole(kind: type[Event]) -> dict[str, Any]:
    """A right event of this type, as the public catalogue shows it."""
    from shared.contracts.event_page import examples

    example: dict[str, Any] = json.loads(examples()[kind.__name__].model_dump_json())
    if "expires_at" in example:
        example["expires_at"] = datetime(2999, 1, 1, tzinfo=UTC).isoformat()
    return example


def events(seed: int) -> Iterator[tuple[type[Event], bytes]]:
    """Every field of every type of event, once with each bad value and once left out; then what is no JSON."""
    random = Random(seed)
    for kind in EVENTS:
        right = whole(kind)
        for name in right:
            for value in BAD:
                changed = right | {"id": _uuid(random)} | {name: value}
                yield kind, json.dumps(changed).encode()
            yield kind, json.dumps({key: right[key] for key in right if key != name}).encode()
        for raw in (
            b"",
            b"{",
            b"null",
            b"[]",
            b"7",
            b'"x"',
            b"\xff\xfe",
            b"[" * 5_000,
            b"{}" * 3,
            random.randbytes(300),
        ):
            yield kind, raw


def _uuid(random: Random) -> str:
    from uuid import UUID

    return str(UUID(int=random.getrandbits(128), version=4))
