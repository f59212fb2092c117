"""All settings: those of the services that are installed here, and those that only docker compose reads."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module

from dotenv import dotenv_values

from services.cli.installed import SERVICES, is_installed
from shared.settings import DEFAULT_PREFIX, RunSettings, Settings

COMPOSE_SETTINGS = """
## Only with docker compose. There MOODSTREAM_PLAYER is `house` and MOODSTREAM_FRAMES_KEPT is 6 unless they are set.
# Profiles to start, separated by commas: camera, demo or kiosk; voice, mqtt, mpd, snapcast, observability.
# COMPOSE_PROFILES=
# Folder with videos, a catalogue or a file of receivers, seen by the services as /media.
# MOODSTREAM_MEDIA=./media
# Address that the page listens on; 0.0.0.0 opens it to the whole network.
# MOODSTREAM_HOST=127.0.0.1
# Device of the webcam (profile kiosk), and the id of its group (ls -ln /dev/video0).
# MOODSTREAM_WEBCAM=/dev/video0
# MOODSTREAM_WEBCAM_GROUP=44
# Port for signing in to Spotify.
# MOODSTREAM_PLAYER_PORT=8081
# Ports of the bridge: its page, and OSC control.
# MOODSTREAM_BRIDGE_PORT=8082
# MOODSTREAM_OSC_PORT=9001
# Address and port of the broker (profile mqtt); 0.0.0.0 opens it to the whole network.
# MOODSTREAM_MQTT_HOST=127.0.0.1
# MOODSTREAM_MQTT_PORT=1883
# Folder of music for the Music Player Daemon (profile mpd), and address and port of its audio stream.
# MOODSTREAM_MUSIC_FOLDER=./music
# MOODSTREAM_MPD_HOST=127.0.0.1
# MOODSTREAM_MPD_STREAM_PORT=8083
# Address and port of the sound for loudspeakers in other rooms (profile snapcast), and the port that controls them.
# MOODSTREAM_SNAPCAST_HOST=127.0.0.1
# MOODSTREAM_SNAPCAST_PORT=1704
# MOODSTREAM_SNAPCAST_CONTROL_PORT=1705
# Ports of Prometheus and Grafana (profile observability).
# MOODSTREAM_PROMETHEUS_PORT=9090
# MOODSTREAM_GRAFANA_PORT=3000
# Memory of Redis (one site's full streams take about 170 MB), and of its container: about twice as much, since Redis
# forks to rewrite its file.
# MOODSTREAM_REDIS_MAXMEMORY=384mb
# MOODSTREAM_REDIS_MEMORY=768m
# Nodes of the cluster that holds the events instead of that one server (profile cluster); MOODSTREAM_PREFIX then needs
# a hash tag, such as {mood}: with the braces.
# MOODSTREAM_CLUSTER=node-1,node-2,node-3
# Memory of the recommender; a million songs need 3g.
# MOODSTREAM_RECOMMENDER_MEMORY=768m
# Memory and processors of the cameras; several cameras need more.
# MOODSTREAM_CAMERA_MEMORY=512m
# MOODSTREAM_CAMERA_CPUS=1.0
# Prefix of the image names, and their tag: where images are pulled from or pushed to.
# MOODSTREAM_IMAGES=moodstream
# MOODSTREAM_TAG=latest
# Version and revision that images built here are labelled with.
# MOODSTREAM_VERSION=development
# MOODSTREAM_REVISION=unknown
# Third-party images; append a digest (@sha256:...) to pin one.
# PYTHON_IMAGE=python:3.11-slim-bookworm
# REDIS_IMAGE=redis:7-bookworm
# DEBIAN_IMAGE=debian:bookworm-slim
# MOSQUITTO_IMAGE=eclipse-mosquitto:2.0.22
# PROMETHEUS_IMAGE=prom/prometheus:v3.5.0
# GRAFANA_IMAGE=grafana/grafana:12.1.1"""


INTERNAL = frozenset(
    f"MOODSTREAM_{name}" for name in ("SOCKET", "READY", "EMBEDDED", "LIFELINE", "REFERENCE", "SECRETS")
)
"""Read by the program or its tests, but in no class of settings."""


@dataclass(frozen=True)
class UnknownSetting:
    """A name in the environment or in ``.env`` that nothing reads, and the setting that is most like it."""

    name: str
    nearest: str | None

    def as_text(self) -> str:
        return f"{self.name} is not a setting" + (f"; did you mean {self.nearest}?" if self.nearest else "")


def unknown_settings() -> list[UnknownSetting]:
    """Names that begin with MOODSTREAM_ and are no setting, most of them typing errors; for the whole program."""
    fields = [name.upper() for kind in settings_by_part().values() for name in kind.model_fields]
    known = {prefix + name for name in fields for prefix in ("MOODSTREAM_", DEFAULT_PREFIX)}
    known |= {f"MOODSTREAM_{name}_FILE" for name in fields} | INTERNAL
    known |= set(re.findall(r"MOODSTREAM_\w+", COMPOSE_SETTINGS))
    try:
        from_file = dotenv_values(".env")
    except UnicodeDecodeError:
        return []  # `load` has said it
    given = {name for name in (*os.environ, *from_file) if name.startswith("MOODSTREAM_")}
    return [UnknownSetting(name, _nearest(name, fields)) for name in sorted(given - known)]


def _nearest(name: str, fields: Iterable[str]) -> str | None:
    """The setting whose own part, after MOODSTREAM_, is most like that of the name."""
    found = get_close_matches(name.removeprefix("MOODSTREAM_"), fields, 1)
    return f"MOODSTREAM_{found[0]}" if found else None


def settings_by_part() -> dict[str, type[Settings]]:
    """The settings of every part that is installed here, in the order of .env.example."""
    found: dict[str, type[Settings]] = {"Common": RunSettings}
    for name in SERVICES:
        if is_installed(name):
            found[name.capitalize()] = getattr(import_module(f"services.{name}.main"), f"{name.capitalize()}Settings")
    return found
