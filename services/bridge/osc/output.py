"""The present as Open Sound Control, for TouchDesigner, Max, Ableton, openFrameworks and others.

Sent at a set rate, each value in its own message, since not every receiver opens bundles; ``/mood`` goes out at once
when it changes. Source of the protocol: https://opensoundcontrol.stanford.edu/spec-1_0.html
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_server import AsyncIOOSCUDPServer

from moodstream.contracts.events import Event, FacesRead, MoodChanged
from moodstream.contracts.moods import MOODS, Mood, expectation
from moodstream.errors import MoodstreamError
from services.bridge.controls import PLAYER, Controls
from services.bridge.osc.glide import Glide
from services.bridge.present import Present
from services.bridge.rate_limited_log import Seldom

log = logging.getLogger("moodstream.bridge")

NUMBERS = {mood: number for number, mood in enumerate((*MOODS, Mood.UNSURE, Mood.NOBODY))}
"""For receivers that know no text: angry 0, happy 1, sad 2, calm 3, unsure 4, nobody 5."""

MAX_FACES = 16
COMMANDS_WAITING = 16
TRY_AGAIN_S = 5.0
MOOD_AGAIN_S = 1.0

Value = str | float | int
Place = tuple[str, int]


def parse_places(text: str, setting: str) -> list[Place]:
    """``host:port host:port ...``. Raises MoodstreamError."""
    places = []
    for one in text.replace(",", " ").split():
        host, _, port = one.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise MoodstreamError(f"{setting}: must look like 127.0.0.1:9000, not {one!r}")
        places.append((host.strip("[]"), int(port)))
    return places


def message(address: str, *values: Value) -> bytes:
    """One OSC message."""
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram


@dataclass
class Picture:
    """One camera as OSC messages: what is smooth glides, what is not is sent as it is."""

    camera_id: str
    glide: Glide
    mood: Mood = Mood.NOBODY
    people: int = 0
    faces: tuple[str, ...] = ()
    """mood of each face that is seen, from left to right"""

    def __post_init__(self) -> None:
        for name in ("/valence", "/arousal", "/confidence", *(f"/probability/{mood}" for mood in MOODS)):
            self.glide.aim(name, 0.0)

    def heard(self, event: Event) -> bool:
        """Take in an event; whether the mood is another one now."""
        if isinstance(event, FacesRead) and event.camera_id == self.camera_id:
            self._faces_read(event)
        if not isinstance(event, MoodChanged) or event.camera_id != self.camera_id:
            return False
        before, self.mood, self.people = self.mood, event.mood, event.faces
        self.glide.aim("/valence", event.valence)
        self.glide.aim("/arousal", event.arousal)
        self.glide.aim("/confidence", event.confidence if event.mood is not Mood.NOBODY else 0.0)
        shares = event.probabilities.in_order() if event.probabilities else (0.0,) * 4
        for mood, share in zip(MOODS, shares, strict=True):
            self.glide.aim(f"/probability/{mood}", share)
        return self.mood != before

    def _faces_read(self, event: FacesRead) -> None:
        faces = sorted((face for face in event.faces if face.refused is None), key=lambda face: face.box[0])
        faces = faces[:MAX_FACES]
        for gone in range(len(faces), len(self.faces)):
            self.glide.drop(f"/faces/{gone + 1}/")
        self.faces = tuple(face.mood for face in faces)
        for number, face in enumerate(faces, 1):
            valence, arousal = expectation(face.probabilities.in_order())
            values = {"valence": valence, "arousal": arousal, "confidence": face.confidence}
            values |= _shares_of(face.box, event.size) if event.size else {}
            for name, value in values.items():
                self.glide.aim(f"/faces/{number}/{name}", value)

    def mood_messages(self) -> Iterator[bytes]:
        yield message("/mood", self.mood.value)
        yield message("/mood/number", NUMBERS[self.mood])

    def messages(self) -> Iterator[bytes]:
        """All values as they are now."""
        yield message("/people", self.people)
        yield message("/faces/count", len(self.faces))
        for number, mood in enumerate(self.faces, 1):
            yield message(f"/faces/{number}/mood", mood)
        for name, value in self.glide.now.items():
            yield message(name, value)


def _shares_of(box: tuple[int, int, int, int], size: tuple[int, int]) -> dict[str, float]:
    """A box in shares of the frame, 0 to 1 from its upper left corner, whatever the camera's resolution."""
    (x, y, width, height), (whole_width, whole_height) = box, size
    shares = {
        "x": x / whole_width,
        "y": y / whole_height,
        "width": width / whole_width,
        "height": height / whole_height,
    }
    return {name: min(1.0, max(0.0, share)) for name, share in shares.items()}


class OscOut:
    """Sends one camera to any number of places, ``rate`` times a second."""

    def __init__(
        self, places: Sequence[Place], rate: float, smoothing_s: float, camera_id: str, present: Present
    ) -> None:
        self._places, self._pause_s = places, 1 / rate
        self._picture = Picture(camera_id, Glide(smoothing_s))
        self._transports: list[asyncio.DatagramTransport] = []
        present.listeners.append(self._heard)

    def _heard(self, event: Event) -> None:
        if self._picture.heard(event):
            self._send(self._picture.mood_messages())

    def _send(self, messages: Iterator[bytes]) -> None:
        for datagram in messages:
            for transport in self._transports:
                transport.sendto(datagram)

    async def run(self) -> None:
        """Send for ever."""
        loop = asyncio.get_running_loop()
        async with self._connected():
            before = mood_at = loop.time()
            while True:
                await asyncio.sleep(self._pause_s)
                now = loop.time()
                self._picture.glide.step(now - before)
                before = now
                self._send(self._picture.messages())
                if now - mood_at >= MOOD_AGAIN_S:  # datagrams get lost
                    self._send(self._picture.mood_messages())
                    mood_at = now

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        try:
            for place in self._places:
                self._transports.append(await _endpoint(place))
            yield
        finally:
            for transport in self._transports:
                transport.close()
            self._transports.clear()


async def _endpoint(place: Place) -> asyncio.DatagramTransport:
    """A socket towards a place, once its name is known."""
    while True:
        try:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=place, allow_broadcast=True
            )
            return transport
        except OSError as error:
            log.warning("OSC: %s:%d cannot be reached: %s", *place, error.strerror or error)
            await asyncio.sleep(TRY_AGAIN_S)


class OscIn:
    """Control: ``/force MOOD [CAMERA]``, ``/next``, ``/pause``, ``/resume``, ``/toggle``, ``/mute``."""

    def __init__(self, place: Place, controls: Controls) -> None:
        self._place, self._controls = place, controls
        self._say = Seldom(log)
        self._waiting: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(COMMANDS_WAITING)

    async def run(self) -> None:
        """Obey for ever. Raises MoodstreamError when the port is taken."""
        dispatcher = Dispatcher()
        dispatcher.map("/force", self._force)
        for command in PLAYER:
            dispatcher.map(f"/{command}", self._player)
        dispatcher.set_default_handler(self._unknown)
        loop: Any = asyncio.get_running_loop()
        try:
            transport, _ = await AsyncIOOSCUDPServer(self._place, dispatcher, loop).create_serve_endpoint()
        except OSError as error:
            raise MoodstreamError(
                f"cannot listen on {self._place[0]}:{self._place[1]} for OSC: {error.strerror}; "
                "choose another MOODSTREAM_OSC_LISTEN"
            ) from None
        try:
            while True:
                obey = await self._waiting.get()
                await obey()
        finally:
            transport.close()

    def _force(self, _: str, *values: Any) -> None:
        if not values or not all(isinstance(value, str) for value in values):
            self._say.warning("OSC: /force needs a mood, as text")
            return
        self._later(lambda: self._controls.force(*values[:2]))

    def _player(self, address: str, *values: Any) -> None:
        if values and values[0] in (0, 0.0, False):  # a button of TouchOSC and others sends 0 when it is let go
            return
        self._later(lambda: self._controls.player(address.removeprefix("/")))

    def _unknown(self, address: str, *_: Any) -> None:
        self._say.warning("OSC: nothing is done at %r", address[:100])

    def _later(self, work: Callable[[], Awaitable[None]]) -> None:
        if self._waiting.full():
            self._say.warning("OSC: too many commands; one was dropped")
        else:
            self._waiting.put_nowait(work)
