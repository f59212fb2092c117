"""The state as Open Sound Control, for TouchDesigner, Max, Ableton, openFrameworks and others.

Sent at a set rate, each value in its own message, since not every receiver opens bundles; ``/mood`` goes out at once
when it changes. Source of the protocol: https://opensoundcontrol.stanford.edu/spec-1_0.html
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence

from moodstream.contracts.events import Event, MoodChanged, PlaybackChanged, StatusChanged
from moodstream.contracts.ids import is_place_by_hand
from services.bridge.osc.endpoints import Endpoint
from services.bridge.osc.glide import Glide
from services.bridge.osc.values import CameraValues, SongValues
from shared.tasks import end_tasks

log = logging.getLogger("moodstream.bridge")

RETRY_S = 5.0
REPEAT_MOOD_S = 1.0
MAX_CAMERAS = 32
"""That are sent each for itself, so that whoever makes cameras up does not fill the network."""


class OscOutput:
    """Sends the site to any number of endpoints, ``rate`` times a second: its first camera, each camera, the song."""

    def __init__(self, endpoints: Sequence[Endpoint], rate: float, smoothing_s: float, camera_id: str) -> None:
        self._endpoints, self._pause_s = endpoints, 1 / rate
        self._smoothing_s = smoothing_s
        self._first = CameraValues(camera_id, Glide(smoothing_s))
        self._cameras: dict[str, CameraValues] = {}
        """those that have seen somebody and not gone offline since"""
        self._song = SongValues()
        self._transports: list[asyncio.DatagramTransport] = []

    def show_event(self, event: Event) -> None:
        """Aim at what an event has changed; another mood or song goes out at once."""
        match event:
            case PlaybackChanged():
                if self._song.apply_event(event):
                    self._send(self._song.messages())
            case StatusChanged(service="camera" | "gateway", part=str(camera_id), state="offline"):
                self._cameras.pop(camera_id, None)
            case MoodChanged() if not is_place_by_hand(event.camera_id) and len(self._cameras) < MAX_CAMERAS:
                self._cameras.setdefault(
                    event.camera_id,
                    CameraValues(event.camera_id, Glide(self._smoothing_s), f"/camera/{event.camera_id}"),
                )
        for camera in self._all_cameras():
            if camera.apply_event(event):
                self._send(camera.mood_messages())

    def _all_cameras(self) -> Iterator[CameraValues]:
        yield self._first
        yield from self._cameras.values()

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
                for camera in self._all_cameras():
                    camera.glide.step(now - before)
                    self._send(camera.messages())
                before = now
                if now - mood_at >= REPEAT_MOOD_S:  # datagrams get lost
                    for camera in self._all_cameras():
                        self._send(camera.mood_messages())
                    self._send(self._song.messages())
                    mood_at = now

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """Each endpoint is sent to as soon as its name is known; none waits for another."""
        connecting = [asyncio.create_task(self._connect(endpoint)) for endpoint in self._endpoints]
        try:
            yield
        finally:
            await end_tasks(*connecting)
            for transport in self._transports:
                transport.close()
            self._transports.clear()

    async def _connect(self, endpoint: Endpoint) -> None:
        """Try until the name of an endpoint is known."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    asyncio.DatagramProtocol, remote_addr=endpoint, allow_broadcast=True
                )
            except OSError as error:
                log.warning("OSC: %s:%d cannot be reached: %s", *endpoint, error.strerror or error)
                await asyncio.sleep(RETRY_S)
            else:
                self._transports.append(transport)
                return
