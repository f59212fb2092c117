"""Home Assistant itself finds the devices at a broker, shows what they tell, chooses a mood: make home-assistant-try.

An automation in it sends each state that it shows to the broker, where the test looks, and chooses when it is told to.
"""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

from moodstream.contracts.events import RequestMade
from moodstream.contracts.moods import Mood
from services.cli.redis_client import connected
from tests.support.bridges import Broker, bridge, broker, until, watching
from tests.support.ports import free_port
from tests.support.scenes import mood_changed, new_session

PROGRAM = "MOODSTREAM_HASS"
"""Environment variable that names Home Assistant's program, hass."""
WITHIN_S = 240.0
CONFIGURATION = """
homeassistant: {{name: Test, latitude: 0, longitude: 0, elevation: 0, unit_system: metric, time_zone: UTC}}
http: {{server_host: 127.0.0.1, server_port: {port}}}
automation:
  - alias: tell
    mode: queued
    max: 1000
    triggers: [{{trigger: event, event_type: state_changed}}]
    conditions: "{{{{ not trigger.event.data.entity_id.startswith('automation.') }}}}"
    actions:
      - action: mqtt.publish
        data:
          topic: "seen/{{{{ trigger.event.data.entity_id }}}}"
          payload: "{{{{ trigger.event.data.new_state.state }}}}"
  - alias: choose
    triggers: [{{trigger: mqtt, topic: choose}}]
    actions:
      - action: select.select_option
        target: {{entity_id: "{{{{ trigger.payload }}}}"}}
        data: {{option: sad}}
"""


def configure(folder: Path, at: Broker) -> None:
    """A configuration with the integration MQTT, as its dialogue would store it."""
    entry = {
        "entry_id": "moodstream",
        "version": 1,
        "domain": "mqtt",
        "title": "broker",
        "data": {"broker": "127.0.0.1", "port": at.port},
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "unique_id": None,
        "disabled_by": None,
    }
    stored = {"version": 1, "minor_version": 1, "key": "core.config_entries", "data": {"entries": [entry]}}
    (folder / ".storage").mkdir()
    (folder / ".storage" / "core.config_entries").write_text(json.dumps(stored))
    (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=free_port()))


def start(program: str, folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("wb") as output:
        return subprocess.Popen([program, "--config", str(folder)], stdout=output, stderr=output)


async def test_it_finds_the_devices_shows_the_mood_and_chooses_one(redis_url: str, tmp_path: Path) -> None:
    if not (program := os.environ.get(PROGRAM)):
        pytest.skip("installs Home Assistant: `make home-assistant-try` runs it")
    session = new_session()
    with broker(tmp_path) as at:
        home = tmp_path / "home"
        home.mkdir()
        configure(home, at)
        async with bridge(redis_url, mqtt_url=at.url), watching(at) as seen:
            with connected(redis_url) as client:
                mood = mood_changed(Mood.HAPPY, session, confidence=0.75)
                client.xadd("mood:moods", {"__data__": mood.model_dump_json()})
            process = start(program, home)
            try:
                shown = await until(lambda: found(seen.payloads, "mood", "happy"), WITHIN_S)
                assert shown.startswith("sensor.")
                assert await until(lambda: found(seen.payloads, "confidence", "0.75"), WITHIN_S)
                assert await until(lambda: found(seen.payloads, "occupancy", "on"), WITHIN_S)
                choice = await until(lambda: found(seen.payloads, "choose_mood", "happy"), WITHIN_S)
                await seen.client.publish("choose", choice)
                asked = await until(lambda: requests(redis_url), WITHIN_S)
            finally:
                process.terminate()
                await asyncio.to_thread(process.wait, 60)
    assert [(one.kind, one.body["mood"]) for one in asked] == [("mood.choose", "sad")]
    devices = json.loads((home / ".storage" / "core.device_registry").read_text())["data"]["devices"]
    assert {"Moodstream camera-1", "Moodstream player"} <= {device["name"] for device in devices}


def found(payloads: dict[str, str], name: str, state: str) -> str:
    """The entity that is called so and shows this; "" where none does."""
    topics = (topic for topic, payload in payloads.items() if topic.startswith("seen/") and payload == state)
    return next((topic.removeprefix("seen/") for topic in topics if topic.endswith(f"_{name}")), "")


def requests(redis_url: str) -> list[RequestMade]:
    with connected(redis_url) as client:
        return [RequestMade.model_validate_json(fields[b"__data__"]) for _, fields in client.xrange("mood:requests")]
