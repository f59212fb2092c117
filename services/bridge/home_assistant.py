"""How Home Assistant finds Moodstream by itself: one discovery message per device.

Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

import json
import re
from hashlib import blake2b
from typing import Any, get_args

from moodstream import __version__
from moodstream.contracts.events import PlaybackState
from moodstream.contracts.moods import MOODS as CHOSEN

NAME = "moodstream"
ORIGIN = {"name": NAME, "sw_version": __version__}
MOODS = [*map(str, CHOSEN), "unsure", "nobody"]

Document = dict[str, Any]

SOURCES = "{{ {'sources': value_json.sources} | tojson }}"
"""An attribute of the mood: what face, voice and words each say, where several count."""


def camera_device(topic: str, camera_id: str, page: str | None = None) -> tuple[str, Document]:
    """(object id, discovery message) of one camera: what is seen, whether somebody is there, a mood chosen by hand."""
    device = f"{slug(topic)}_{slug(camera_id)}"
    state = f"{topic}/{level(camera_id)}/state"

    def sensor(name: str, field: str, **more: Any) -> Document:
        return {
            "platform": "sensor",
            "name": name,
            "unique_id": f"{device}_{field}",
            "value_template": f"{{{{ value_json.{field} }}}}",
            **more,
        }

    number = {"state_class": "measurement", "suggested_display_precision": 2}
    components = {
        "mood": sensor("Mood", "mood", device_class="enum", options=MOODS, icon="mdi:emoticon-outline")
        | {"json_attributes_topic": state, "json_attributes_template": SOURCES},
        "confidence": sensor("Confidence", "confidence", icon="mdi:check-decagram-outline", **number),
        "valence": sensor("Valence", "valence", icon="mdi:thumbs-up-down-outline", **number),
        "arousal": sensor("Arousal", "arousal", icon="mdi:flash-outline", **number),
        "people": sensor("People", "people", state_class="measurement", icon="mdi:account-multiple-outline"),
        "occupancy": sensor("Occupancy", "occupancy", platform="binary_sensor", device_class="occupancy")
        | {"value_template": "{{ 'ON' if value_json.people > 0 else 'OFF' }}"},
        "choice": _choice(device, f"{topic}/{level(camera_id)}/mood/set"),
    }
    return device, _document(topic, device, f"Moodstream {camera_id}", components, page) | {"state_topic": state}


def _choice(device: str, command_topic: str) -> Document:
    """A mood chosen by hand. Nothing is chosen where the mood is none that can be."""
    options = [*map(str, CHOSEN)]
    return {
        "platform": "select",
        "name": "Choose mood",
        "unique_id": f"{device}_choice",
        "command_topic": command_topic,
        "options": options,
        "value_template": f"{{{{ value_json.mood if value_json.mood in {options} else 'None' }}}}",
        "icon": "mdi:gesture-tap",
    }


def player_device(topic: str, page: str | None = None) -> tuple[str, Document]:
    """(object id, discovery message) of the player: what plays, its state, and buttons.

    The state has a sensor of its own, because Home Assistant keeps the attribute `state` for itself. MQTT has no media
    player in Home Assistant.
    """
    device = f"{slug(topic)}_player"
    components: Document = {
        "now_playing": {
            "platform": "sensor",
            "name": "Now playing",
            "unique_id": f"{device}_now_playing",
            "state_topic": f"{topic}/playback",
            "value_template": "{{ value_json.now_playing }}",
            "json_attributes_topic": f"{topic}/playback",
            "icon": "mdi:music",
        },
    }
    components["state"] = {
        "platform": "sensor",
        "name": "State",
        "unique_id": f"{device}_state",
        "state_topic": f"{topic}/playback",
        "value_template": "{{ value_json.state }}",
        "device_class": "enum",
        "options": [*get_args(PlaybackState)],
        "icon": "mdi:play-circle-outline",
    }
    for command, name, icon in (
        ("next", "Next", "mdi:skip-next"),
        ("toggle", "Pause or resume", "mdi:play-pause"),
        ("mute", "Mute or unmute", "mdi:volume-off"),
    ):
        components[command] = {
            "platform": "button",
            "name": name,
            "unique_id": f"{device}_{command}",
            "command_topic": f"{topic}/command",
            "payload_press": command,
            "icon": icon,
        }
    return device, _document(topic, device, "Moodstream player", components, page)


def _document(topic: str, device: str, name: str, components: Document, page: str | None) -> Document:
    about = {"identifiers": [device], "name": name, "manufacturer": "Moodstream", "sw_version": __version__}
    return {
        "device": about | ({"configuration_url": page} if page else {}),
        "origin": ORIGIN,
        "components": components,
        "availability_topic": _availability(topic),
        "qos": 1,
    }


def _availability(topic: str) -> str:
    return f"{topic}/bridge/availability"


def is_ours(document: str, topic: str) -> bool:
    """Whether a discovery message is of a Moodstream with this topic."""
    try:
        read = json.loads(document)
    except ValueError:
        return False
    origin = read.get("origin") if isinstance(read, dict) else None
    if not isinstance(origin, dict) or origin.get("name") != NAME:  # whatever version has written it
        return False
    return bool(read.get("availability_topic") == _availability(topic))


def slug(text: str) -> str:
    """What Home Assistant allows in an object id; names that differ stay different."""
    safe = re.sub(r"[^a-zA-Z0-9_-]+", "_", text)
    return safe if safe == text else f"{safe}_{blake2b(text.encode(), digest_size=3).hexdigest()}"


def level(text: str) -> str:
    """What may stand between two slashes of a topic."""
    return re.sub(r"[^\w.-]+", "_", text)
