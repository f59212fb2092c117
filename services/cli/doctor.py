"""``moodstream doctor`` and ``moodstream settings``."""

import argparse
import json
from collections.abc import Callable, Iterator

from services.cli.arguments import Commands, add, reading
from services.cli.camera import first_webcam
from shared.errors import EXIT_FAILED, MoodstreamError

COMPOSE_SETTINGS = """
## Only with docker compose
# Folder with videos or a catalogue, seen by the services as /media.
# MOODSTREAM_MEDIA=./media
# Port for signing in to Spotify.
# MOODSTREAM_PLAYER_PORT=8081
# Ports of the bridge: its page, and OSC control.
# MOODSTREAM_BRIDGE_PORT=8082
# MOODSTREAM_OSC_PORT=9001"""


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    reading(add(commands, "doctor", doctor, "What works here and what does not."))
    add(commands, "settings", settings, "Every setting with its default, in the form of a .env file.")


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
