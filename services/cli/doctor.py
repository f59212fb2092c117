"""``moodstream doctor`` and ``moodstream settings``."""

import argparse
import json
from collections.abc import Callable, Iterator

from services.cli.arguments import Commands, add, reading
from services.cli.camera import first_webcam
from shared.errors import EXIT_FAILED, MoodstreamError

COMPOSE_SETTINGS = """
## Only with docker compose. There MOODSTREAM_PLAYER is `house` and MOODSTREAM_FRAMES_KEPT is 6 unless they are set.
# Profiles that are started without naming them: camera, demo or kiosk; mqtt, mpd, observability. Separated by commas.
# COMPOSE_PROFILES=
# Folder with videos, a catalogue or a file of receivers, seen by the services as /media.
# MOODSTREAM_MEDIA=./media
# Where the page is reached, besides MOODSTREAM_PORT: 0.0.0.0 shows it to the whole network.
# MOODSTREAM_HOST=127.0.0.1
# Device of the webcam (profile kiosk), and the number of its group: ls -ln /dev/video0
# MOODSTREAM_WEBCAM=/dev/video0
# MOODSTREAM_WEBCAM_GROUP=44
# Port for signing in to Spotify.
# MOODSTREAM_PLAYER_PORT=8081
# Ports of the bridge: its page, and OSC control.
# MOODSTREAM_BRIDGE_PORT=8082
# MOODSTREAM_OSC_PORT=9001
# Address and port of the broker (profile mqtt); 0.0.0.0 shows it to the whole network.
# MOODSTREAM_MQTT_HOST=127.0.0.1
# MOODSTREAM_MQTT_PORT=1883
# Folder of music for the Music Player Daemon (profile mpd), and where its stream is heard.
# MOODSTREAM_MUSIC_FOLDER=./music
# MOODSTREAM_MPD_HOST=127.0.0.1
# MOODSTREAM_MPD_STREAM_PORT=8083
# Ports of Prometheus and Grafana (profile observability).
# MOODSTREAM_PROMETHEUS_PORT=9090
# MOODSTREAM_GRAFANA_PORT=3000
# Memory of Redis, of which one site's full streams take about 170 MB, and of its container: about twice that, since it
# copies itself when it rewrites its file.
# MOODSTREAM_REDIS_MAXMEMORY=384mb
# MOODSTREAM_REDIS_MEMORY=768m
# Memory of the recommender; a million songs need 3g.
# MOODSTREAM_RECOMMENDER_MEMORY=768m
# Memory and processors of the cameras; several cameras need more.
# MOODSTREAM_CAMERA_MEMORY=512m
# MOODSTREAM_CAMERA_CPUS=1.0
# Names of the images before the service, and their tag: where they are pulled from or pushed to.
# MOODSTREAM_IMAGES=moodstream
# MOODSTREAM_TAG=latest
# What images that are built here say they are.
# MOODSTREAM_VERSION=development
# MOODSTREAM_REVISION=unknown
# Images from elsewhere; a digest behind the name (@sha256:...) pins one for good.
# PYTHON_IMAGE=python:3.11-slim-bookworm
# REDIS_IMAGE=redis:7-bookworm
# DEBIAN_IMAGE=debian:bookworm-slim
# MOSQUITTO_IMAGE=eclipse-mosquitto:2.0.22
# PROMETHEUS_IMAGE=prom/prometheus:v3.5.0
# GRAFANA_IMAGE=grafana/grafana:12.1.1"""


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    reading(add(commands, "doctor", doctor, "What works here and what does not."))
    add(commands, "settings", settings, "Every setting with its default, in the form of a .env file.")
    add(commands, "openapi", openapi, "The HTTP API, as an OpenAPI document.")


def doctor(given: argparse.Namespace) -> int:
    """Every part with the command that cures it; 1 when a needed one does not work."""
    failed = False
    for part, needed, fault in _checks():
        failed |= needed and fault is not None
        state = "ok" if fault is None else "missing" if needed else "not used"
        found = {"part": part, "state": state, "hint": fault}
        print(json.dumps(found) if given.json else f"{state:<9}{part}" + (f": {fault}" if fault else ""))
    return EXIT_FAILED if failed else 0


def _checks() -> Iterator[tuple[str, bool, str | None]]:
    """(part, whether it is needed, what is wrong with it or None)."""
    from services.emotion.main import EmotionSettings, create_reader
    from services.player.main import PlayerSettings, create_output
    from services.recommender.commands import moods
    from services.recommender.main import RecommenderSettings
    from shared.embedded_redis import embedded_redis
    from shared.live import check_redis
    from shared.settings import RunSettings, load

    def fault(check: Callable[[], object]) -> str | None:
        try:
            check()
        except MoodstreamError as error:
            return str(error)
        return None

    def own_redis() -> None:
        with embedded_redis():
            pass

    common = load(RunSettings)
    given = common.redis_url and common.address(common.redis_url)
    yield "Redis", True, fault(lambda: check_redis(given) if given else own_redis())
    yield "network", True, fault(lambda: create_reader(load(EmotionSettings)))
    yield "catalogue", True, fault(lambda: next(moods(load(RecommenderSettings).catalogue)))
    yield "player", True, fault(lambda: create_output(load(PlayerSettings)))
    yield "webcam", False, None if first_webcam() else "none was found; a drawn face or the page's camera is used"


def settings(_: argparse.Namespace) -> int:
    """Print what .env.example holds."""
    from services.bridge.main import BridgeSettings
    from services.camera.main import CameraSettings
    from services.emotion.main import EmotionSettings
    from services.gateway.main import GatewaySettings
    from services.player.main import PlayerSettings
    from services.recommender.main import RecommenderSettings
    from shared.settings import RunSettings, example

    print(
        example(
            {
                "Common": RunSettings,
                "Camera": CameraSettings,
                "Emotion": EmotionSettings,
                "Recommender": RecommenderSettings,
                "Player": PlayerSettings,
                "Gateway": GatewaySettings,
                "Bridge": BridgeSettings,
            }
        )
    )
    print(COMPOSE_SETTINGS)
    return 0


def openapi(_: argparse.Namespace) -> int:
    """Print what docs/openapi.json holds."""
    from services.gateway.main import GatewaySettings, create_document
    from shared.settings import load

    print(json.dumps(create_document(load(GatewaySettings)), indent=2, ensure_ascii=False))
    return 0
