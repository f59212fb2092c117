"""``moodstream run``: everything in one process; this parent owns its Redis and its socket and keeps it alive."""

import argparse
import contextlib
import os
import sys
from functools import partial
from pathlib import Path

from services.cli import runtime_file
from services.cli.command_list import RUN_CHILD
from services.cli.commands.setup import first_start
from services.cli.options import Commands, add_command, add_json, print_note
from services.cli.run import child_environment as child
from services.cli.run.announcement import waiting_for_child
from services.cli.run.embedded_redis import embedded_redis
from services.cli.run.supervisor import supervise
from shared.app.listening import listen, page_address
from shared.core_dumps import forbid_core_dumps
from shared.settings import RunSettings, load


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    one = add_json(add_command(commands, "run", run))
    source = one.add_mutually_exclusive_group()
    source.add_argument("--camera", metavar="SOURCE", help="webcam:0, a file, rtsp://..., or pattern: (a drawn face)")
    source.add_argument(
        "--demo",
        action="store_true",
        help="simulated visitors, and music made by the page; with --player spotify a simulated Spotify",
    )
    one.add_argument("--player", choices=["browser", "house", "log", "mpd", "spotify"], help="where the song plays")
    one.add_argument("--once", action="store_true", help="exit at the end of the input")
    one.add_argument("--auto", action="store_true", help="pick songs automatically")
    one.add_argument("--port", type=int, help="port of the page (default: 8080)")
    one.add_argument("--data", type=Path, metavar="FOLDER", help="keep events in this folder (default: keep nothing)")


def run(given: argparse.Namespace) -> int:
    """The parent: owns the embedded server and the socket of the page, restarts its one child."""
    forbid_core_dumps()  # of the embedded Redis, too, through which the pictures pass
    settings = load(RunSettings, port=given.port)
    first_start(as_json=given.json)
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(listen(settings.host, settings.port))
        own = settings.redis_url is None
        redis_url = settings.redis_url or stack.enter_context(embedded_redis(given.data, kept=True))
        # what is kept in the folder are events: frames, which show people, stay in memory
        frames_url = stack.enter_context(embedded_redis(kept=True)) if own and given.data else None
        page = page_address(settings.scheme, settings.host, sock.getsockname()[1])
        stack.callback(runtime_file.remove_running)
        runtime_file.write_running(runtime_file.Running(os.getpid(), page, redis_url))
        operator, note = child.operator_settings(f"{page}/operator")
        announced = f"Moodstream is at {page}  (Ctrl-C ends it)\n{note}"
        ready = stack.enter_context(waiting_for_child(partial(print_note, given.json), announced))
        environment = {
            **os.environ,
            # a server that was named is found by the child where we found it: its address may come from a secret file
            **({"MOODSTREAM_REDIS_URL": redis_url, child.EMBEDDED: "true"} if own else {}),
            **({"MOODSTREAM_FRAMES_REDIS_URL": frames_url} if frames_url else {}),
            child.SOCKET: str(sock.fileno()),
            child.READY: str(ready),
            **operator,
            **child.camera_settings(given),
            **(child.demo_settings(given.player, page, stack) if given.demo else {}),
            **child.player_settings(given),
        }
        flags = [f"--{flag}" for flag in ("once", "json") if getattr(given, flag)]
        command = [sys.executable, "-m", "services", RUN_CHILD, *flags]
        return supervise(command, environment, inherit=[sock.fileno(), ready])
