"""The child of `moodstream run`: every service in one process."""

import os
import socket

from services.bridge.main import BridgeSettings
from services.bridge.main import create_service as create_bridge
from services.camera.main import CameraSettings
from services.camera.main import create_service as create_camera
from services.cli.run.child_environment import SIMULATED_SPOTIFY, SOCKET
from services.cli.run.console import print_events
from services.cli.run.drain import Drain
from services.cli.run.lifeline import Lifeline
from services.emotion.main import EmotionSettings
from services.emotion.main import create_service as create_emotion
from services.gateway.main import GatewaySettings
from services.gateway.main import create_service as create_gateway
from services.player.main import PlayerSettings
from services.player.main import create_service as create_player
from services.player.spotify.simulator.app import Simulator
from services.recommender.main import RecommenderSettings
from services.recommender.main import create_service as create_recommender
from shared.app.server import serve
from shared.app.service import Service, build_app, create_bus
from shared.core_dumps import forbid_core_dumps
from shared.logs import set_up_logging
from shared.settings import load


def run_services(*, as_json: bool, once: bool) -> int:
    """``once``: end with the input of the cameras. Returns the exit code."""
    forbid_core_dumps()
    settings = load(GatewaySettings)
    handler = set_up_logging(
        settings.log_level if "log_level" in settings.model_fields_set else "WARNING", settings.log_format
    )
    bus = create_bus(settings)
    bus.metrics.show_suppressed_lines(lambda: handler.suppressed)
    drain = Drain(bus, lambda: app.exit())
    app = build_app(
        bus,
        print_events(bus, as_json=as_json, leave=lambda: app.exit()),
        create_emotion(load(EmotionSettings), bus),
        create_recommender(load(RecommenderSettings), bus),
        create_player(load(PlayerSettings), bus),
        create_gateway(settings, bus),
        create_bridge(load(BridgeSettings), bus),
        create_camera(load(CameraSettings, once=once), bus, ended=drain.begin if once else None),
        Service("run", background=[drain.run, Lifeline(bus).run], publishes_status=False),
        *_simulator(),
    )
    return serve(app, socket.socket(fileno=int(os.environ[SOCKET])), settings)


def _simulator() -> list[Service]:
    if SIMULATED_SPOTIFY not in os.environ.get("MOODSTREAM_SPOTIFY_API_URL", ""):
        return []
    return [Service("simulator", routes=[Simulator().mount(SIMULATED_SPOTIFY)], publishes_status=False)]
