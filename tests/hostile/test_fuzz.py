"""The doors that take bytes, fed with generated ones that are nearly right: each takes them or refuses them, in its own
words. `make fuzz` goes on for longer, from another seed each time.
"""

import asyncio
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodstream.contracts.moods import MOODS
from moodstream.contracts.requests import ChooseMood, CommandPlayer
from moodstream.errors import MoodstreamError
from services.bridge.controls import PLAYER_COMMANDS, Controls
from services.bridge.home_assistant import is_ours
from services.bridge.mqtt import is_topic
from services.bridge.osc.control import OscControl
from services.bridge.osc.packets import MAX_ADDRESS, messages_in
from services.cli.run.embedded_redis import embedded_redis
from services.emotion.faces.decode import MAX_PIXELS, PictureRefused, decode_grey
from services.gateway.pictures.picture_size import pixels_of
from services.recommender.catalogue.importers import import_songs
from services.recommender.catalogue.tags import song_tags
from services.voice.sound_files import SoundRefused, read_body
from shared.contracts.site_state import SiteState
from shared.tasks import end_tasks
from tests.hostile.strategies import FUZZ, JSON
from tests.support.gateways import JPEG, Gateway
from tests.support.ports import free_port

FEW = settings(FUZZ, max_examples=max(20, FUZZ.max_examples // 5))
"""Of what takes milliseconds."""
U32 = st.sampled_from((0, 1, 4, 255, 65_535, 2**31 - 1, 2**31, 2**32 - 1)) | st.integers(0, 2**32 - 1)
U16 = U32.map(lambda number: number & 0xFFFF)


class Asked:
    """Stands for the bus of a bridge."""

    def __init__(self) -> None:
        self.requests = list[Any]()

    async def ask(self, request: Any) -> None:
        self.requests.append(request)


def controls() -> tuple[Controls, Asked]:
    bus: Any = Asked()
    return Controls(bus, SiteState("camera-1")), bus


# Open Sound Control

PADDED = st.binary(max_size=30).map(lambda text: text + bytes(4 - len(text) % 4))
ADDRESS = st.sampled_from((b"/force", b"/next", b"/*", b"/{next,pause}", b"/[", b"/" + b"a" * 300)) | st.binary(
    max_size=20
).map(lambda rest: b"/" + rest)
MESSAGE = st.tuples(
    ADDRESS.map(lambda text: text.split(b"\0")[0] + bytes(4 - len(text.split(b"\0")[0]) % 4)),
    st.text("ifsbSctTFNI[]hd", max_size=8).map(lambda tags: ("," + tags).encode() + bytes(4 - (len(tags) + 1) % 4)),
    st.lists(PADDED | U32.map(lambda number: number.to_bytes(4, "big")), max_size=6).map(b"".join),
).map(b"".join)
NEXT = b"/next\0\0\0,\0\0\0"
BUNDLE = st.recursive(
    MESSAGE,
    lambda inner: st.lists(st.tuples(inner, st.integers(-1, 1)), max_size=4).map(
        lambda parts: (
            b"#bundle\0" + bytes(8) + b"".join(max(0, len(part) + off).to_bytes(4, "big") + part for part, off in parts)
        )
    ),
    max_leaves=12,
)


@FUZZ
@given(BUNDLE | st.binary(max_size=200))
def test_a_datagram_is_messages_or_none(datagram: bytes) -> None:
    for message in messages_in(datagram):
        assert message.address.startswith("/")
        assert len(message.address) <= MAX_ADDRESS


@FUZZ
@given(st.lists(BUNDLE | st.binary(max_size=200), max_size=8))
async def test_no_datagram_keeps_the_next_command_from_being_taken(datagrams: list[bytes]) -> None:
    carrying, bus = controls()
    control = OscControl(("127.0.0.1", free_port()), carrying)
    running = asyncio.create_task(control.run())
    receiver = control.receiver()
    try:
        for datagram in datagrams:
            receiver.datagram_received(datagram, ("127.0.0.1", 9))
        await asyncio.sleep(0.01)
        receiver.datagram_received(NEXT, ("127.0.0.1", 9))
        async with asyncio.timeout(2):
            while not bus.requests or bus.requests[-1] != CommandPlayer(command="next"):
                await asyncio.sleep(0.001)
    finally:
        await end_tasks(running)
    assert {type(request) for request in bus.requests} <= {CommandPlayer, ChooseMood}


# MQTT


@FUZZ
@given(st.text(max_size=80) | st.sampled_from(PLAYER_COMMANDS) | st.sampled_from([mood.value for mood in MOODS]))
async def test_a_command_over_mqtt_is_one_of_ours_or_nothing(text: str) -> None:
    control, bus = controls()
    await control.command_player(text)
    assert len(bus.requests) == (text in PLAYER_COMMANDS)
    await control.choose_mood(text)
    assert len(bus.requests) == (text in PLAYER_COMMANDS) + (text in tuple(MOODS))


@FUZZ
@given(st.text(max_size=60), st.text(max_size=20) | JSON.map(json.dumps))
def test_what_lies_on_a_broker_is_ours_or_not(topic: str, text: str) -> None:
    assert is_ours(text, "moodstream") in (True, False)
    if is_topic(topic):
        assert not set(topic) & {"+", "#", "\x00", "\n", "\x1b"}


# pictures

SEGMENT = st.tuples(st.integers(0xC0, 0xFE), U16, st.binary(max_size=40)).map(
    lambda one: b"\xff" + bytes([one[0]]) + one[1].to_bytes(2, "big") + one[2]
)
HEADER = st.tuples(U16, U16, st.integers(0, 255)).map(
    lambda one: b"\xff\xc0\x00\x11\x08" + struct.pack(">HHB", *one) + b"\x01\x22\x00\x02\x11\x01\x03\x11\x01"
)
PICTURE = st.lists(SEGMENT | HEADER | st.binary(max_size=20), max_size=6).map(
    lambda parts: b"\xff\xd8" + b"".join(parts)
) | st.tuples(st.integers(0, len(JPEG)), st.binary(max_size=30), st.integers(0, 30)).map(
    lambda one: JPEG[: one[0]] + one[1] + JPEG[one[0] + one[2] :]
)


@FUZZ
@given(PICTURE | st.binary(max_size=100))
def test_a_picture_is_small_enough_or_refused(picture: bytes) -> None:
    claimed = pixels_of(picture)
    assert claimed is None or claimed > 0
    with suppress(PictureRefused):
        assert 0 < decode_grey(picture).size <= MAX_PIXELS


# sounds, which are what is uploaded as a voice

NAMES = st.sampled_from((b"fmt ", b"data", b"LIST", b"fact")) | st.binary(min_size=4, max_size=4)
CHUNK = st.tuples(NAMES, U32, st.binary(max_size=60))
WAV = st.tuples(U32, U16, U16, U32, U32, U16, U16, U32, st.lists(CHUNK, max_size=3), st.binary(max_size=300)).map(
    lambda one: (
        b"RIFF"
        + struct.pack("<I", one[0])
        + b"WAVEfmt \x10\0\0\0"
        + struct.pack("<HHIIHH", *one[1:7])
        + b"".join(name + struct.pack("<I", size) + body for name, size, body in one[8])
        + b"data"
        + struct.pack("<I", one[7])
        + one[9]
    )
)
FLAC = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2**24 - 1), st.binary(max_size=60)), max_size=4).map(
    lambda blocks: b"fLaC" + b"".join(bytes([kind]) + size.to_bytes(3, "big") + body for kind, size, body in blocks)
)
OGG = st.lists(st.tuples(st.binary(min_size=22, max_size=22), st.binary(max_size=120)), max_size=4).map(
    lambda pages: b"".join(b"OggS" + head + bytes([1, len(body)]) + body for head, body in pages)
)
MAX_S = 2.0


@FEW
@given(WAV | FLAC | OGG | st.binary(max_size=200))
def test_a_voice_is_sound_or_refused(body: bytes) -> None:
    with suppress(SoundRefused):
        sound = read_body(body, MAX_S)
        assert sound.dtype == np.float32
        assert 0 < len(sound) <= 16_000 * (MAX_S + 1)
        assert np.abs(sound).max() <= 1.0


# tables and tags

CELL = st.text(max_size=12) | st.sampled_from(("=1+1", "1e999", "nan", "-0", "1,5", "4:33", '"', "\x00", "\ufeff"))
HEADINGS = [
    "id",
    "title",
    "artist",
    "valence",
    "energy",
    "tempo",
    "danceability",
    "loudness",
    "key",
    "mode",
    "duration",
]
TABLE = st.tuples(
    st.lists(st.sampled_from(HEADINGS) | CELL, min_size=1, max_size=8),
    st.lists(st.lists(CELL | st.floats().map(str), max_size=9), max_size=6),
    st.sampled_from((",", ";", "\t", "|")),
    st.sampled_from(("utf-8", "utf-16", "latin-1")),
).map(lambda one: "\n".join(one[2].join(row) for row in (one[0], *one[1])).encode(one[3], errors="replace"))
BYTES = st.sampled_from((b"", b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08", b"[", b"{")).flatmap(
    lambda begins: st.binary(max_size=200).map(lambda rest: begins + rest)
)


@FEW
@given(TABLE | BYTES | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_table_is_songs_or_refused(tmp_path: Path, table: bytes) -> None:
    file = tmp_path / "songs.csv"
    file.write_bytes(table)
    with suppress(MoodstreamError):
        catalogue, report = import_songs(file)
        assert 0 < len(catalogue.frame) == report.kept <= report.rows


ID3 = st.lists(
    st.tuples(st.sampled_from((b"TIT2", b"TPE1", b"TCON", b"TDRC", b"APIC")), U32, U16, st.binary(max_size=60)),
    max_size=5,
).map(lambda frames: b"".join(name + struct.pack(">IH", size, flags) + body for name, size, flags, body in frames))
TAGGED = st.tuples(st.integers(2, 4), U32, ID3).map(
    lambda one: b"ID3" + bytes([one[0], 0, 0]) + struct.pack(">I", one[1] & 0x7F7F7F7F) + one[2]
)


@FUZZ
@given(TAGGED | FLAC | OGG | WAV, st.sampled_from(("mp3", "flac", "ogg", "wav", "m4a", "aiff")), CELL)
def test_tags_are_plain_text_or_the_name_of_the_file(tmp_path: Path, body: bytes, ending: str, written: str) -> None:
    file = tmp_path / f"Artist - Title.{ending}"
    file.write_bytes(body)
    found = song_tags(file, {"title": written})
    assert found["title"]
    for name in ("title", "artist", "genre"):
        assert not set(found[name]) & set(map(chr, range(32)))
    assert 0 <= found["year"] <= 9_999


# WebSocket frames

UPGRADE = (
    b"GET /api/v1/%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
FRAME = st.tuples(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=150)).map(
    lambda one: bytes([one[0], one[1]]) + one[2]
) | st.tuples(st.sampled_from((0x81, 0x82, 0x89, 0x88, 0x80)), st.binary(max_size=100) | PICTURE).map(
    lambda one: bytes([one[0], 0xFE]) + (len(one[1]) & 0xFFFF).to_bytes(2, "big") + bytes(4) + one[1]
)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with embedded_redis() as url, Gateway(url, {"MOODSTREAM_REQUESTS_PER_S": "0"}).run() as running:
        yield running


@FEW
@given(st.sampled_from((b"frames", b"events/ws")), st.lists(FRAME, max_size=6))
async def test_no_frame_of_a_websocket_ends_the_gateway(gateway: Gateway, door: bytes, frames: Sequence[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(UPGRADE % door + b"".join(frames))
    try:
        async with asyncio.timeout(5):
            await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
    async with httpx.AsyncClient(base_url=gateway.url, timeout=10) as client:
        assert (await client.get("/health/live")).status_code == 200
