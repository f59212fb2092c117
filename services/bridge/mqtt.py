"""The state on an MQTT broker: retained messages, availability by Last Will, Home Assistant, commands.

What is promised is the state: when the broker was away, all of it is published again as soon as the broker is back.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial

import aiomqtt
from pydantic import JsonValue

from moodstream.cancellation import heed
from moodstream.contracts.events import Event, MoodChanged, PlaybackChanged, StatusChanged, utc_now
from moodstream.contracts.status_codes import StatusCode
from services.bridge.controls import Controls
from services.bridge.home_assistant import camera_device, is_ours, level, player_device
from services.bridge.mqtt_address import Address
from services.bridge.mqtt_messages import camera_state, no_player, nobody, playback_state
from services.bridge.rate_limited_log import RateLimitedLog
from shared.contracts.site_state import SiteState

log = logging.getLogger("moodstream.bridge")

KEEP_ALIVE_S = 15
PAUSES_S = (0.5, 1.0, 2.0, 5.0)
COMMANDS_WAITING = 16
MAX_TOPIC_BYTES = 1_000
CLEAR_AFTER_S = 10.0
"""What an earlier run has left on the broker is removed when its camera has not come back after this."""
STOPPED = (StatusCode.STOPPED, StatusCode.END_OF_INPUT)


class Mqtt:
    """Keeps the broker's retained messages up to date, and carries out what is sent to it."""

    def __init__(
        self,
        address: Address,
        topic: str,
        discovery: str | None,
        state: SiteState,
        controls: Controls,
        page: str | None = None,
    ) -> None:
        """``page``: the address that Home Assistant shows beside each device."""
        self._address, self._topic, self._discovery, self._page = address, topic, discovery, page
        self._state, self._controls = state, controls
        self._choices: dict[str, str] = {}
        """the camera of each topic that takes a mood"""
        self._retained: dict[str, str] = {}
        self._own: set[str] = set()
        """topics of this run's cameras and player"""
        self._stale: set[str] = set()
        """topics that an earlier run left on the broker"""
        self._changed: dict[str, None] = {}
        self._news = asyncio.Event()
        self._log = RateLimitedLog(log)
        self._commands: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(COMMANDS_WAITING)
        if discovery:
            self._announce(*player_device(topic, page))

    def show_event(self, event: Event) -> None:
        """Retain what an event has changed."""
        match event:
            case MoodChanged():
                self._retain(self._state_topic(event.camera_id), json.dumps(camera_state(event)))
                self._announce_camera(event.camera_id)
            case PlaybackChanged():
                self._retain(f"{self._topic}/playback", json.dumps(playback_state(event)))
            case StatusChanged(service="gateway", part=str(camera_id), state="offline"):
                self._forget(camera_id)
            case StatusChanged(service="camera", part=str(camera_id)) if event.state != "offline":
                if self._state_topic(camera_id) not in self._own:
                    self._retain(self._state_topic(camera_id), json.dumps(nobody(event.at)))
                self._announce_camera(camera_id)

    def settle(self) -> None:
        """The past was replayed: cameras that had stopped by its end may be gone for good."""
        for (service, part), status in self._state.status.items():
            if service == "camera" and part and status.state == "offline" and status.code in STOPPED:
                gone = self._topics_of(part)
                self._stale.update(self._own & gone)
                self._own -= gone

    def _state_topic(self, camera_id: str) -> str:
        return f"{self._topic}/{level(camera_id)}/state"

    def _choice_topic(self, camera_id: str) -> str:
        return f"{self._topic}/{level(camera_id)}/mood/set"

    def _forget(self, camera_id: str) -> None:
        """Take back what was retained for a camera that is gone for good."""
        self._choices.pop(self._choice_topic(camera_id), None)
        for topic in self._topics_of(camera_id):
            if topic in self._retained:
                self._retain(topic, "")

    def _topics_of(self, camera_id: str) -> set[str]:
        """Of its state and of its device."""
        object_id, _ = camera_device(self._topic, camera_id)
        return {self._state_topic(camera_id), self._config_topic(object_id)}

    def _config_topic(self, object_id: str) -> str:
        return f"{self._discovery}/device/{object_id}/config"

    def _announce_camera(self, camera_id: str) -> None:
        """Once, and not for the cameras of browsers, which come and go."""
        object_id, document = camera_device(self._topic, camera_id, self._page)
        self._choices[self._choice_topic(camera_id)] = camera_id
        if (
            self._discovery
            and self._config_topic(object_id) not in self._own
            and camera_id not in self._state.browser_cameras
        ):
            self._announce(object_id, document)

    def _announce(self, object_id: str, document: dict[str, JsonValue]) -> None:
        self._retain(self._config_topic(object_id), json.dumps(document))

    def _retain(self, topic: str, payload: str, *, own: bool = True) -> None:
        """An empty payload deletes the retained message. ``own``: it is about something that this run knows."""
        if own:
            self._own.add(topic)
        self._retained[topic] = payload
        self._changed[topic] = None
        self._news.set()

    async def run(self) -> None:
        """Keep connected to the broker for ever."""
        failures = 0
        async with asyncio.TaskGroup() as group:
            group.create_task(self._carry_out_commands())
            while True:
                try:
                    async with self._client() as client:
                        log.info("MQTT: connected to %s:%d", self._address.host, self._address.port)
                        failures = 0
                        await self._stay_connected(client)
                except* aiomqtt.MqttError as errors:
                    log.warning("MQTT: the broker is away: %s", errors.exceptions[0])
                await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1

    def _client(self) -> aiomqtt.Client:
        availability = f"{self._topic}/bridge/availability"
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            tls_context=self._address.tls,
            will=aiomqtt.Will(availability, "offline", qos=1, retain=True),
            keepalive=KEEP_ALIVE_S,
            timeout=5,
        )

    async def _stay_connected(self, client: aiomqtt.Client) -> None:
        availability = f"{self._topic}/bridge/availability"
        self._changed = dict.fromkeys(self._retained)
        self._news.set()
        await heed(client.subscribe(f"{self._topic}/command", qos=1))
        await heed(client.subscribe(f"{self._topic}/+/mood/set", qos=1))
        await heed(client.subscribe(f"{self._topic}/+/state", qos=1))
        await heed(client.subscribe(f"{self._topic}/playback", qos=1))
        if self._discovery:
            await heed(client.subscribe(f"{self._discovery}/status", qos=1))
            await heed(client.subscribe(f"{self._discovery}/device/+/config", qos=1))
        await heed(client.publish(availability, "online", qos=1, retain=True))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._publish_changes(client))
                group.create_task(self._take_messages(client))
                group.create_task(self._clear_stale())
        except asyncio.CancelledError:  # a clean goodbye is no reason for the broker to send the will
            await heed(client.publish(availability, "offline", qos=1, retain=True, timeout=1))
            raise

    async def _publish_changes(self, client: aiomqtt.Client) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._changed:
                topic = next(iter(self._changed))
                del self._changed[topic]
                payload = self._retained[topic]
                if not is_topic(topic):  # a broker would end the connection, again and again
                    log.error("MQTT: %r is not a valid topic; skipped", topic[:100])
                    del self._retained[topic]
                    continue
                await heed(client.publish(topic, payload, qos=1, retain=True))
                if not payload and self._retained.get(topic) == "":
                    del self._retained[topic]

    async def _take_messages(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            text = message.payload.decode(errors="replace") if isinstance(message.payload, bytes) else ""
            if work := self._work(message.topic.value, text):
                if message.retain or self._commands.full():
                    self._log.warning("MQTT: a command was ignored: %r", text[:50])
                else:
                    self._commands.put_nowait(work)
            elif message.retain and text and message.topic.value not in self._own:
                self._note_stale(message.topic.value, text)
            # Home Assistant has started, and may have forgotten us
            elif text == "online" and message.topic.matches(f"{self._discovery}/status"):
                self._changed.update(dict.fromkeys(self._retained))
                self._news.set()

    def _note_stale(self, topic: str, text: str) -> None:
        """An earlier run has left this on the broker: its moods and songs are over, its cameras may be gone."""
        if topic.startswith(f"{self._topic}/") and topic.endswith("/state"):
            self._stale.add(topic)
            self._retain(topic, json.dumps(nobody(utc_now())), own=False)
        elif topic == f"{self._topic}/playback":  # stays: the player has a device as long as the bridge runs
            self._retain(topic, json.dumps(no_player()), own=False)
        elif topic.startswith(f"{self._discovery}/") and is_ours(text, self._topic):
            self._stale.add(topic)

    async def _clear_stale(self) -> None:
        """Remove what stays stale; cameras that are only slow to start keep their devices."""
        await asyncio.sleep(CLEAR_AFTER_S)
        for topic in self._stale - self._own:
            self._retain(topic, "", own=False)
        self._stale.clear()

    def _work(self, topic: str, text: str) -> Callable[[], Awaitable[None]] | None:
        """What a message asks for; None where its topic takes no commands."""
        if topic == f"{self._topic}/command":
            return partial(self._controls.command_player, text)
        if topic in self._choices:
            return partial(self._controls.choose_mood, text, self._choices[topic])
        return None

    async def _carry_out_commands(self) -> None:
        while True:
            carry_out = await self._commands.get()
            await carry_out()


def is_topic(text: str) -> bool:
    """Whether brokers take it: no wildcards, no control characters, not too long."""
    return 0 < len(text.encode()) <= MAX_TOPIC_BYTES and re.search(r"[\x00-\x1f\x7f-\x9f+#]", text) is None
