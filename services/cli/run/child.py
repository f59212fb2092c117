"""The child of `moodstream run`: every service in one process."""

import logging
import os
import socket

from services.bridge.main import BridgeSettings
from services.bridge.main import create_service as create_bridge
from services.camera.main import create_service as create_camera
from services.camera.settings import CameraSettings, cameras_of
from services.cli.all_settings import unknown_settings
from services.cli.run.announcement import announce_ready
from services.cli.run.child_environment import SIMULATED_SPOTIFY, SOCKET
from services.cli.run.console import print_events
from services.cli.run.drain import Drain
from services.cli.run.lifeline import Lifeline
from services.emotion.main import EmotionSettings
from services.emotion.main import create_service as create_emotion
from services.gateway.main import GatewaySettings
from services.gateway.main import create_service as create_gateway
from services.player.main import PlayerSettings, create_login
from services.player.main import create_service as create_player
from services.player.spotify.simulator.app import Simulator
from services.recommender.main import RecommenderSettings
from services.recommender.main import create_service as create_recommender
from shared.app.server import serve
from shared.app.service import Service, build_app, create_bus
from shared.bus.connection import Bus
from shared.core_dumps import forbid_core_dumps
from shared.logs import set_up_logging
from shared.settings import load

log = logging.getLogger("moodstream.settings")


def run_services(*, as_json: bool, once: bool) -> int:
    """``once``: end with the input of the cameras. Returns the exit code."""
    forbid_core_dumps()
    cameras = load(CameraSettings, once=once)
    settings = load(GatewaySettings, camera_id=_first_camera(cameras))
    handler = set_up_logging(
        settings.log_level if "log_level" in settings.model_fields_set else "WARNING", settings.log_format
    )
    for one in unknown_settings():
        log.warning("%s", one.as_text())
    player = load(PlayerSettings)
    simulated = _simulator(player)
    bus = create_bus(settings)
    bus.metrics.show_suppressed_lines(lambda: handler.suppressed)
    drain = Drain(bus, lambda: app.exit())
    app = build_app(
        bus,
        print_events(bus, as_json=as_json, leave=lambda: app.exit(), first=announce_ready),
        create_emotion(load(EmotionSettings), bus),
        *_voice(settings, bus),
        create_recommender(load(RecommenderSettings), bus),
        create_player(player, bus),
        create_gateway(settings, bus),
        create_bridge(load(BridgeSettings), bus),
        create_camera(cameras, bus, ended=drain.begin if once else None),
        Service("run", background=[drain.run, Lifeline(bus).run], publishes_status=False),
        *simulated,
    )
    return serve(app, socket.socket(fileno=int(os.environ[SOCKET])), settings)


def _first_camera(settings: CameraSettings) -> str | None:
    """The camera of the page where the settings list several and none has the name of the page's."""
    names = [settings.camera_id] if settings.demo else [camera.id for camera in cameras_of(settings)]
    return None if settings.camera_id in names else names[0]


def _voice(page: GatewaySettings, bus: Bus) -> list[Service]:
    """The voice service, where voices are wanted; a microphone of this machine stands at the camera of the page."""
    if page.heard_voice is None:
        return []
    from services.voice.main import VoiceSettings
    from services.voice.main import create_service as create_voice

    return [create_voice(load(VoiceSettings, camera_id=page.camera_id), bus)]


def _simulator(settings: PlayerSettings) -> list[Service]:
    """The simulated Spotify of a demonstration, where somebody has signed in already."""
    if SIMULATED_SPOTIFY not in settings.spotify_api_url:
        return []
    simulator = Simulator()
    create_login(settings).keep_token(simulator.sign_in(settings.spotify_client_id))
    return [Service("simulator", routes=[simulator.mount(SIMULATED_SPOTIFY)], publishes_status=False)]
