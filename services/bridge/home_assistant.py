"""How Home Assistant finds Moodstream by itself: one discovery message per device.

Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

import json
import re
from hashlib import blake2b
from typing import Any

ORIGIN = {"name": "moodstream"}
MOODS = ["angry", "happy", "sad", "calm", "unsure", "nobody"]

Document = dict[str, Any]


def camera_device(topic: str, camera_id: str) -> tuple[str, Document]:
    """(object id, discovery message) of one camera: mood, confidence, valence, arousal, people."""
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
        "mood": sensor("Mood", "mood", device_class="enum", options=MOODS, icon="mdi:emoticon-outline"),
        "confidence": sensor("Confidence", "confidence", icon="mdi:check-decagram-outline", **number),
        "valence": sensor("Valence", "valence", icon="mdi:thumbs-up-down-outline", **number),
        "arousal": sensor("Arousal", "arousal", icon="mdi:flash-outline", **number),
        "people": sensor("People", "people", state_class="measurement", icon="mdi:account-multiple-outline"),
    }
    return device, _document(topic, device, f"Moodstream {camera_id}", components) | {"state_topic": state}


def player_device(topic: str) -> tuple[str, Document]:
    """(object id, discovery message) of the player: now playing, and two buttons.

    Outputs have no volume, so silence is a pause, and is called so.
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
    return device, _document(topic, device, "Moodstream player", components)


def _document(topic: str, device: str, name: str, components: Document) -> Document:
    return {
        "device": {"identifiers": [device], "name": name, "manufacturer": "Moodstream"},
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
    if not isinstance(read, dict) or read.get("origin") != ORIGIN:
        return False
    return bool(read.get("availability_topic") == _availability(topic))


def slug(text: str) -> str:
    """What Home Assistant allows in an object id; names that differ stay different."""
    safe = re.sub(r"[^a-zA-Z0-9_-]+", "_", text)
    return safe if safe == text else f"{safe}_{blake2b(text.encode(), digest_size=3).hexdigest()}"


def level(text: str) -> str:
    """What may stand between two slashes of a topic."""
    return re.sub(r"[^\w.-]+", "_", text)
