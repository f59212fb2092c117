"""``moodstream run``: the parent of everything, and the child that holds the services."""

import argparse
import contextlib
import os
import socket
import sys
import tempfile
from pathlib import Path

from services.cli.arguments import Commands, add, reading, tell
from services.cli.camera import first_webcam

CHILD = "_services"
"""The command of the child; it is not for people, so the help leaves it out."""

SOCKET = "MOODSTREAM_SOCKET"
"""Environment variable with the file descriptor of the listening socket, which outlives restarts of the child."""

SIMULATED = "/simulated-spotify"
"""Where the page's server has the simulated Spotify in a demonstration."""


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    one = reading(add(commands, "run", run, "Everything in one process, with a Redis of its own if none is given."))
    seen = one.add_mutually_exclusive_group()
    seen.add_argument("--camera", metavar="SOURCE", help="webcam:0, a file, rtsp://..., pattern: (a drawn face)")
    seen.add_argument(
        "--demo", action="store_true", help="simulated visitors and a simulated Spotify: no camera, no account"
    )
    one.add_argument("--player", choices=["browser", "house", "log", "mpd", "spotify"], help="where the song plays")
    one.add_argument("--once", action="store_true", help="end with the input")
    one.add_argument("--auto", action="store_true", help="pick by itself")
    one.add_argument("--port", type=int, help="port of the page (8080)")
    one.add_argument("--data", type=Path, metavar="FOLDER", help="keep events in this folder (else nothing is kept)")
    child = commands.add_parser(CHILD)
    child.add_argument("--once", action="store_true")
    child.add_argument("--json", action="store_true")
    child.set_defaults(command=services)
    commands._choices_actions = [one for one in commands._choices_actions if one.dest != CHILD]


def run(given: argparse.Namespace) -> int:
    """The parent: owns the embedded server and the socket of the page, restarts its one child."""
    from services.cli import runtime_file
    from services.cli.embedded_redis import embedded_redis
    from services.cli.supervisor import supervise
    from shared.app.service import listen as listen_on
    from shared.settings import RunSettings, load

    settings = load(RunSettings, port=given.port)
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(listen_on(settings.host, settings.port))
        own = settings.redis_url is None
        redis_url = settings.redis_url or stack.enter_context(embedded_redis(given.data))
        # what is kept in the folder are events: frames, which show people, stay in memory
        frames_url = stack.enter_context(embedded_redis()) if own and given.data else None
        shown = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
        page = f"{settings.scheme}://{shown}:{sock.getsockname()[1]}"
        stack.callback(runtime_file.remove)
        runtime_file.write(runtime_file.Running(os.getpid(), page, redis_url))
        tell(given.json, f"Moodstream is at {page}  (Ctrl-C ends it)")
        operator = _operator(given.json, f"{page}/operator")
        environment = {
            **os.environ,
            # a server that was named is found by the child where we found it: its address may come from a secret file
            **({"MOODSTREAM_REDIS_URL": redis_url} if own else {}),
            **({"MOODSTREAM_FRAMES_REDIS_URL": frames_url} if frames_url else {}),
            **_camera(given),
            SOCKET: str(sock.fileno()),
            **operator,
            # a film is played for its events: each ranking is heard, however soon the next one comes
            **({"MOODSTREAM_SONG_MIN_S": "0"} if given.once else {}),
            **(_demo(page, stack) if given.demo else {}),
            **({"MOODSTREAM_PLAYER": given.player} if given.player else {}),
            **({"MOODSTREAM_AUTO": "true"} if given.auto else {}),
            **({"MOODSTREAM_EMBEDDED": "true"} if own else {}),
        }
        flags = [f"--{flag}" for flag in ("once", "json") if getattr(given, flag)]
        command = [sys.executable, "-m", "services", CHILD, *flags]
        return supervise(command, environment, inherit=[sock.fileno()])


def _operator(as_json: bool, page: str) -> dict[str, str]:
    """The settings of the operator's token: that of the environment, else one that is made once and kept."""
    from shared.settings import load
    from shared.web.operator import OperatorSettings, kept_token, make_token

    settings = load(OperatorSettings)
    if settings.operator_token:
        tell(as_json, f"Operator's page: {page}")
        return {}
    file = kept_token()
    if file.exists():
        tell(as_json, f"Operator's page: {page}  (any name; the password is in {file})")
    else:
        tell(as_json, f"Operator's page: {page}  (any name; password {make_token(file)}, kept in {file})")
    return {"MOODSTREAM_OPERATOR_TOKEN_FILE": str(file)}


def _demo(page: str, stack: contextlib.ExitStack) -> dict[str, str]:
    """The settings of a player that speaks to the simulated Spotify, which the child serves; all of it is forgotten."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moodstream-demo-")))
    return {
        "MOODSTREAM_PLAYER": "spotify",
        "MOODSTREAM_SPOTIFY_CLIENT_ID": "moodstream-demo",
        "MOODSTREAM_SPOTIFY_REDIRECT_URI": f"{page}/player/spotify/callback",
        "MOODSTREAM_SPOTIFY_TOKEN_FILE": str(folder / "spotify.json"),
        "MOODSTREAM_SPOTIFY_APP": "no-app-in-a-demonstration",
        "MOODSTREAM_SPOTIFY_API_URL": f"{page}{SIMULATED}/v1",
        "MOODSTREAM_SPOTIFY_ACCOUNTS_URL": f"{page}{SIMULATED}/accounts",
    }


def _camera(given: argparse.Namespace) -> dict[str, str]:
    """The settings that say which cameras are used; empty when the environment or .env says it."""
    from services.camera.main import NO_LIST, CameraSettings
    from services.camera.rules.address import has_secret
    from shared.settings import load

    if given.demo:
        return {"MOODSTREAM_DEMO": "true"}
    if given.camera:
        if has_secret(given.camera):
            tell(given.json, "Everybody on this computer sees the password in a command: MOODSTREAM_CAMERA hides it.")
        return {"MOODSTREAM_CAMERA": given.camera, "MOODSTREAM_CAMERAS": NO_LIST, "MOODSTREAM_DEMO": "false"}
    settings = load(CameraSettings)
    if settings.demo or {"camera", "cameras"} & settings.model_fields_set:
        return {}
    if (webcam := first_webcam()) is not None:
        return {"MOODSTREAM_CAMERA": webcam}
    tell(given.json, "No webcam was found, so a drawn face stands in; the page can use its own camera.")
    return {"MOODSTREAM_CAMERA": "pattern:"}


def services(given: argparse.Namespace) -> int:
    """The child: every service in one process."""
    from services.bridge.main import BridgeSettings
    from services.bridge.main import create_service as bridge
    from services.camera.main import CameraSettings
    from services.camera.main import create_service as camera
    from services.cli.terminal import Ending, print_events, watch_lifeline
    from services.emotion.main import EmotionSettings
    from services.emotion.main import create_service as emotion
    from services.gateway.main import GatewaySettings
    from services.gateway.main import create_service as gateway
    from services.player.main import PlayerSettings
    from services.player.main import create_service as player
    from services.player.spotify.simulator.app import Simulator
    from services.recommender.main import RecommenderSettings
    from services.recommender.main import create_service as recommender
    from shared.app.service import Service, build_app, create_bus, serve
    from shared.logs import set_up_logging
    from shared.settings import load

    common = load(GatewaySettings)
    level = common.log_level if "log_level" in common.model_fields_set else "WARNING"
    lines = set_up_logging(level, common.log_format)
    bus = create_bus(common)
    bus.count_lines(lines)
    simulated = SIMULATED in os.environ.get("MOODSTREAM_SPOTIFY_API_URL", "")
    ended = Ending(bus, lambda: app.exit())
    app = build_app(
        bus,
        print_events(bus, as_json=given.json, leave=lambda: app.exit()),
        emotion(load(EmotionSettings), bus),
        recommender(load(RecommenderSettings), bus),
        player(load(PlayerSettings), bus),
        gateway(common, bus),
        bridge(load(BridgeSettings), bus),
        camera(load(CameraSettings, once=given.once), bus, ended=ended.begin if given.once else None),
        watch_lifeline(bus, ended),
        *([Service("simulator", routes=[Simulator().mount(SIMULATED)], told=False)] if simulated else []),
    )
    return serve(app, socket.socket(fileno=int(os.environ[SOCKET])), common)
