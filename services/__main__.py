"""``moodstream``: the command line. The only module that knows several services."""

import argparse
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.errors import EXIT_FAILED, MoodstreamError

CHILD = "_services"
COMPOSE_SETTINGS = """
## Only with docker compose
# Folder with videos or a catalogue, seen by the services as /media.
# MOODSTREAM_MEDIA=./media
# Password of its Redis; letters and digits, since it becomes part of an address.
# MOODSTREAM_REDIS_PASSWORD=
# Port for signing in to Spotify.
# MOODSTREAM_PLAYER_PORT=8081"""

SOCKET = "MOODSTREAM_SOCKET"
"""Environment variable with the file descriptor of the listening socket, which outlives restarts of the child."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 1 failed, 2 wrong use, 70 to be restarted)."""
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    try:
        return command(given)
    except MoodstreamError as error:
        print(f"moodstream: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:  # the reader of our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="moodstream", description="A camera sees a face; its mood picks the music.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(command=command)
        return one

    def reading(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
        one.add_argument("--json", action="store_true", help="one JSON object a line")
        return one

    def filters(one: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """The same filters wherever events pass."""
        one.add_argument("--type", action="append", metavar="TYPE", help="only of this type, or `all`; repeatable")
        one.add_argument("--camera", action="append", metavar="ID", help="only of this camera; repeatable")
        one.add_argument("--mood", action="append", metavar="MOOD", help="only of this mood; repeatable")
        return one

    run_ = reading(add("run", run, "Everything in one process, with a Redis of its own if none is given."))
    run_.add_argument("--camera", metavar="SOURCE", help="webcam:0, a file, rtsp://..., pattern: (a drawn face)")
    run_.add_argument("--player", choices=["browser", "log", "spotify"], help="where the song plays")
    run_.add_argument("--once", action="store_true", help="end with the input")
    run_.add_argument("--auto", action="store_true", help="pick by itself")
    run_.add_argument("--port", type=int, help="port of the page (8080)")
    run_.add_argument("--data", type=Path, metavar="FOLDER", help="keep events in this folder (else nothing is kept)")

    read_ = reading(add("read", read, "Pictures or videos to faces, boxes, moods and probabilities."))
    read_.add_argument("files", nargs="+", metavar="FILE")
    replay_ = reading(add("replay", replay, "A video as a camera would send it: boxes, probabilities, steady mood."))
    replay_.add_argument("file", type=Path, metavar="FILE")
    replay_.add_argument("--rate", type=_rate, default=10.0, metavar="N", help="frames a second at most (10)")
    replay_.add_argument("--video", type=Path, metavar="OUT.mp4", help="draw it all into a video")
    filters(reading(add("listen", listen, "Follow the events; moods, unless other types are named.")))
    record_ = filters(add("record", record, "Write the events to a file, one a line, until Ctrl-C. Never a picture."))
    record_.add_argument("file", type=Path, metavar="FILE")
    again_ = filters(add("replay-events", replay_events, "Publish recorded events again, as if they happened now."))
    again_.add_argument("file", type=Path, metavar="FILE")
    again_.add_argument("--speed", type=_positive, default=1.0, help="2 is twice as fast")
    simulate_ = filters(add("simulate", simulate, "Publish the events of visitors who do not exist."))
    simulate_.add_argument("--seed", type=int, default=1, help="the same seed makes the same visitors")
    simulate_.add_argument("--events", type=int, metavar="N", help="end after so many; else go on for ever")
    simulate_.add_argument("--speed", type=_positive, default=1.0, help="2 is twice as fast")
    simulate_.add_argument("--print", action="store_true", help="print at once what a recording would hold")
    reading(add("doctor", doctor, "What works here and what does not."))

    add("settings", settings, "Every setting with its default, in the form of a .env file.")

    cameras = commands.add_parser("camera", help="Webcams and cameras.").add_subparsers(required=True, metavar="WHAT")
    found_ = reading(cameras.add_parser("list", help="The webcams of this computer, and the cameras that are set."))
    found_.set_defaults(command=camera_list)
    test_ = reading(cameras.add_parser("test", help="Try cameras: resolution, rate, light, focus, a picture here."))
    test_.add_argument("address", nargs="?", metavar="SOURCE", help="instead of those that are set")
    test_.add_argument("--seconds", type=float, default=3.0, help="how long each is watched (3)")
    test_.add_argument("--no-picture", action="store_true", help="leave the picture out")
    test_.set_defaults(command=camera_test)

    songs = commands.add_parser("songs", help="The catalogue of songs.").add_subparsers(required=True, metavar="WHAT")
    import_ = reading(songs.add_parser("import", help="Take in a catalogue; says what was dropped, and why."))
    import_.add_argument("csv", type=Path, metavar="CSV")
    import_.set_defaults(command=songs_import)
    mood_ = reading(songs.add_parser("mood", help="Mood, valence and arousal of every song."))
    mood_.set_defaults(command=songs_mood)
    similar_ = reading(songs.add_parser("similar", help="Songs ranked by similarity to others."))
    similar_.add_argument("ids", nargs="+", metavar="ID")
    similar_.add_argument("-n", type=int, default=10, help="how many; 0 for all")
    similar_.set_defaults(command=songs_similar)
    for one in (import_, mood_, similar_):
        one.add_argument("--catalogue", type=Path, metavar="FILE", help="instead of MOODSTREAM_CATALOGUE")

    hooks = commands.add_parser("webhooks", help="Receivers of webhooks.").add_subparsers(required=True, metavar="WHAT")
    reading(hooks.add_parser("list", help="How it stands with each.")).set_defaults(command=webhooks_list)
    for name, command, text in (
        ("test", webhooks_test, "Send one test message now, and say what came back."),
        ("enable", webhooks_enable, "Send again to a receiver that had said it was gone."),
    ):
        one = hooks.add_parser(name, help=text)
        one.add_argument("name", metavar="NAME")
        one.set_defaults(command=command)
    hooks.add_parser("secret", help="Make a secret to sign with.").set_defaults(command=webhooks_secret)

    dead = commands.add_parser("dead", help="Dead letters.").add_subparsers(required=True, metavar="WHAT")
    list_ = reading(dead.add_parser("list", help="What could not be handled."))
    list_.set_defaults(command=dead_list)
    back_ = dead.add_parser("replay", help="Put them back where they came from.")
    back_.set_defaults(command=dead_replay)

    child = commands.add_parser(CHILD)
    child.add_argument("--once", action="store_true")
    child.add_argument("--json", action="store_true")
    child.set_defaults(command=services)
    commands._choices_actions = [one for one in commands._choices_actions if one.dest != CHILD]
    return parser


def run(given: argparse.Namespace) -> int:
    """The parent: owns the embedded server and the socket of the page, restarts its one child."""
    from shared import runtime_file
    from shared.app import listen as listen_on
    from shared.embedded_redis import embedded_redis
    from shared.settings import RunSettings, load
    from shared.supervisor import supervise

    settings = load(RunSettings, port=given.port)
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(listen_on(settings.host, settings.port))
        own = settings.redis_url is None
        redis_url = settings.redis_url or stack.enter_context(embedded_redis(given.data))
        shown = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
        page = f"http://{shown}:{sock.getsockname()[1]}"
        stack.callback(runtime_file.remove)
        runtime_file.write(runtime_file.Running(os.getpid(), page, redis_url))
        _tell(given.json, f"Moodstream is at {page}  (Ctrl-C ends it)")
        environment = {
            **os.environ,
            "MOODSTREAM_REDIS_URL": redis_url,
            **_camera(given),
            SOCKET: str(sock.fileno()),
            **({"MOODSTREAM_PLAYER": given.player} if given.player else {}),
            **({"MOODSTREAM_AUTO": "true"} if given.auto else {}),
            **({"MOODSTREAM_EMBEDDED": "true"} if own else {}),
        }
        flags = [f"--{flag}" for flag in ("once", "json") if getattr(given, flag)]
        command = [sys.executable, "-m", "services", CHILD, *flags]
        return supervise(command, environment, inherit=[sock.fileno()])


def _camera(given: argparse.Namespace) -> dict[str, str]:
    """The settings that say which cameras are used; empty when the environment or .env says it."""
    from services.camera.address import has_secret
    from services.camera.main import CameraSettings
    from shared.settings import load

    if given.camera:
        if has_secret(given.camera):
            _tell(given.json, "Everybody on this computer sees the password in a command: MOODSTREAM_CAMERA hides it.")
        return {"MOODSTREAM_CAMERA": given.camera, "MOODSTREAM_CAMERAS": ""}
    if {"camera", "cameras"} & load(CameraSettings).model_fields_set:
        return {}
    if (webcam := _webcam()) is not None:
        return {"MOODSTREAM_CAMERA": webcam}
    _tell(given.json, "No webcam was found, so a drawn face stands in; the page can use its own camera.")
    return {"MOODSTREAM_CAMERA": "pattern:"}


def _webcam() -> str | None:
    """The first webcam that gives pictures."""
    from services.camera.cameras import create_cameras
    from services.camera.devices import devices
    from services.camera.trial import try_camera

    for device in devices():
        [camera] = create_cameras([{"address": device.address}])
        if device.fault is None and try_camera(camera, 0.0)[0].fault is None:
            return device.address
    return None


def _tell(as_json: bool, text: str) -> None:
    """To a person; programs read standard output alone."""
    print(text, file=sys.stderr if as_json else sys.stdout, flush=True)


def services(given: argparse.Namespace) -> int:
    """The child: every service in one process."""
    from services.bridge.main import BridgeSettings
    from services.bridge.main import create_service as bridge
    from services.camera.main import CameraSettings
    from services.camera.main import create_service as camera
    from services.emotion.main import EmotionSettings
    from services.emotion.main import create_service as emotion
    from services.gateway.main import GatewaySettings
    from services.gateway.main import create_service as gateway
    from services.player.main import PlayerSettings
    from services.player.main import create_service as player
    from services.recommender.main import RecommenderSettings
    from services.recommender.main import create_service as recommender
    from shared.app import build_app, create_bus, serve, set_up_logging
    from shared.live import Ending, print_events, watch_lifeline
    from shared.settings import load

    common = load(GatewaySettings)
    set_up_logging(common.log_level if "MOODSTREAM_LOG_LEVEL" in os.environ else "WARNING")
    bus = create_bus(common)
    ended = Ending(bus, lambda: app.exit())
    app = build_app(
        bus,
        print_events(bus, as_json=given.json),
        emotion(load(EmotionSettings), bus),
        recommender(load(RecommenderSettings), bus),
        player(load(PlayerSettings), bus),
        gateway(common, bus),
        bridge(load(BridgeSettings), bus),
        camera(load(CameraSettings, once=given.once), bus, ended=ended.begin if given.once else None),
        watch_lifeline(bus, ended),
    )
    return serve(app, socket.socket(fileno=int(os.environ[SOCKET])))


def read(given: argparse.Namespace) -> int:
    """Each file to the faces in it; 1 when a file could not be read, after all the others were."""
    from services.emotion.files import read_file
    from services.emotion.main import EmotionSettings, create_reader
    from shared.settings import load

    reader = create_reader(load(EmotionSettings))
    failed = False
    for file in given.files:
        for result in read_file(reader, Path(file)):
            failed |= result["error"] is not None
            print(json.dumps(result) if given.json else _read_line(result), flush=True)
    return EXIT_FAILED if failed else 0


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 240:
        raise argparse.ArgumentTypeError("a rate is more than 0 and at most 240 frames a second")
    return rate


def replay(given: argparse.Namespace) -> int:
    """A video through the reader and the tracker."""
    from services.emotion.main import EmotionSettings, create_reader
    from services.emotion.replay import Film, replay
    from shared.settings import load

    emotion = load(EmotionSettings)
    moments = replay(given.file, create_reader(emotion), emotion.patience(), given.rate)
    with Film(given.video, given.rate) if given.video else contextlib.nullcontext() as film:
        for moment in moments:
            print(json.dumps(moment.as_dict()) if given.json else moment.as_text(), flush=True)
            if film is not None:
                film.add(moment)
    return 0


def _read_line(result: dict[str, object]) -> str:
    when = f" at {result['time_s']:.1f} s" if "time_s" in result else ""
    faces = result["faces"]
    assert isinstance(faces, list)
    found = [
        f"{face['mood']} ({face['confidence']:.0%}) at {','.join(map(str, face['box']))}"
        + (f", refused: {face['refused']}" if face["refused"] else "")
        for face in faces
    ]
    return f"{result['file']}{when}: {result['error'] or '; '.join(found) or 'no face'}"


def listen(given: argparse.Namespace) -> int:
    """Events as they come, until interrupted."""
    from shared.console import line
    from shared.live import follow_moods
    from shared.recording import wanted

    takes = wanted(given.type or ["MoodChanged"], given.camera, given.mood)
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for event in filter(takes, follow_moods(_redis_url(), takes.kinds)):
        print(line(event, as_json=given.json, coloured=coloured), flush=True)
    return 0


def record(given: argparse.Namespace) -> int:
    """Events into a file, until interrupted."""
    from shared.live import follow_moods
    from shared.recording import wanted

    takes = wanted(given.type, given.camera, given.mood)
    url = _redis_url()
    try:
        with given.file.open("x", encoding="utf-8") as lines:
            for event in filter(takes, follow_moods(url, takes.kinds)):
                lines.write(event.model_dump_json() + "\n")
                lines.flush()
    except FileExistsError:
        raise MoodstreamError(f"{given.file}: exists already; name another file") from None
    except OSError as error:
        raise MoodstreamError(f"{given.file}: {error.strerror}") from None
    return 0


def replay_events(given: argparse.Namespace) -> int:
    """Recorded events, published as if they happened now."""
    from shared.events import utc_now
    from shared.live import connected
    from shared.recording import anew, publish, read_recording, wanted

    takes = wanted(given.type, given.camera, given.mood)
    events = list(read_recording(given.file))
    with connected(_redis_url()) as client:
        timed = anew(events, utc_now(), given.speed)
        print(f"{publish(client, _prefix(), (one for one in timed if takes(one[1])))} events published")
    return 0


def simulate(given: argparse.Namespace) -> int:
    """Invented visitors, published or printed."""
    from itertools import islice

    from shared.events import utc_now
    from shared.live import connected
    from shared.recording import publish, wanted
    from shared.simulation import Visitors

    takes = wanted(given.type, given.camera, given.mood)
    visitors = Visitors(given.seed, utc_now(), speed=given.speed)
    timed = islice((one for one in visitors.events() if takes(one[1])), given.events)
    if given.print:
        for _, event in timed:
            print(event.model_dump_json(), flush=True)
        return 0
    with connected(_redis_url()) as client:
        print(f"{publish(client, _prefix(), timed)} events published")
    return 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError("must be above 0, and at most 1000")
    return value


def camera_list(given: argparse.Namespace) -> int:
    """Webcams with their names, then the cameras of the settings; nothing is opened."""
    from services.camera.address import masked
    from services.camera.devices import devices
    from services.camera.main import CameraSettings, cameras_of
    from shared.settings import load

    webcams = devices()
    for one in webcams:
        found = {"kind": "device", "address": one.address, "name": one.name, "fault": one.fault}
        text = f"{one.address:<12}{one.name}" + (f": {one.fault}" if one.fault else "")
        print(json.dumps(found) if given.json else text)
    if not webcams:
        _tell(given.json, "No webcam was found.")
    for camera in cameras_of(load(CameraSettings)):
        address, rate = masked(camera.address), camera.frame_rate
        found = {"kind": "setting", "id": camera.id, "address": address, "frame_rate": rate}  # type: ignore[dict-item]
        print(json.dumps(found) if given.json else f"{camera.id:<12}{address}, {rate:g} pictures a second")
    return 0


def camera_test(given: argparse.Namespace) -> int:
    """Each camera for a few seconds; 1 when one gives no pictures."""
    import shutil

    from services.camera.cameras import create_cameras
    from services.camera.main import CameraSettings, cameras_of
    from services.camera.terminal import drawn
    from services.camera.trial import try_camera
    from shared.settings import load

    given_one = [{"id": "camera", "address": given.address}] if given.address else None
    failed = False
    for camera in create_cameras(given_one) if given_one else cameras_of(load(CameraSettings)):
        trial, jpeg = try_camera(camera, given.seconds)
        failed |= trial.fault is not None
        if given.json:
            print(json.dumps(trial.as_dict()), flush=True)
            continue
        if jpeg and not given.no_picture:
            columns = min(shutil.get_terminal_size().columns, 80)
            print("\n".join(drawn(jpeg, columns, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)))
        print(_trial_line(trial), flush=True)
    return EXIT_FAILED if failed else 0


def _trial_line(trial: Any) -> str:
    name = f"{trial.camera} ({trial.address})"
    if not trial.width:
        return f"{name}: {trial.fault}"
    seen = f"{trial.width}x{trial.height}, {trial.rate:g} pictures a second, light {trial.light:.0f} of 255"
    hints = "; ".join(([trial.fault] if trial.fault else []) + list(trial.hints)) or "good"
    return f"{name}: {seen}, sharpness {trial.sharpness:.0f}: {hints}"


def songs_import(given: argparse.Namespace) -> int:
    """Take in a catalogue and say what was dropped."""
    from services.recommender.commands import import_file

    report = import_file(given.csv, _catalogue(given))
    print(json.dumps(report.as_dict()) if given.json else report.as_text())
    return 0


def songs_mood(given: argparse.Namespace) -> int:
    """Mood, valence and arousal of every song."""
    from services.recommender.commands import moods

    for song in moods(_catalogue(given)):
        text = f"{song['id']}  {song['mood']:<6}{song['valence']:+.2f} {song['arousal']:+.2f}"
        print(json.dumps(song) if given.json else text)
    return 0


def songs_similar(given: argparse.Namespace) -> int:
    """Rankings by similarity to the given songs."""
    from services.recommender.commands import similar

    for found in similar(given.ids, _catalogue(given), given.n):
        if given.json:
            print(json.dumps(found))
            continue
        print(found["id"])
        for song in found["ranking"]:
            print(f"  {song['similarity']:.3f}  {song['id']}  {song['reason']}")
    return 0


def _catalogue(given: argparse.Namespace) -> Path:
    from services.recommender.main import RecommenderSettings
    from shared.settings import load

    return load(RecommenderSettings, catalogue=given.catalogue).catalogue


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

    given = load(RunSettings).redis_url
    yield "Redis", True, fault(own_redis if given is None else lambda: check_redis(given))
    yield "network", True, fault(lambda: create_reader(load(EmotionSettings)))
    yield "catalogue", True, fault(lambda: next(moods(load(RecommenderSettings).catalogue)))
    yield "player", True, fault(lambda: create_output(load(PlayerSettings)))
    yield "webcam", False, None if _webcam() else "none was found; a drawn face or the page's camera is used"


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


def webhooks_list(given: argparse.Namespace) -> int:
    """Every receiver with what waits for it."""
    from services.bridge.commands import receivers
    from services.bridge.outbox import look
    from shared.live import connected

    with connected(_redis_url()) as client:
        for receiver in receivers():
            state = look(client, _prefix(), receiver.name)
            text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in state.items() if value != "")
            found = {"name": receiver.name, "url": receiver.url, **state}
            print(json.dumps(found) if given.json else f"{receiver.name}  {receiver.url}: {text}")
    return 0


def webhooks_test(given: argparse.Namespace) -> int:
    """One test message; 1 when the receiver does not accept it."""
    from services.bridge.commands import receiver_named, send_test

    answer = send_test(receiver_named(given.name))
    print(f"{given.name}: {answer.reason}")
    return 0 if answer.accepted else EXIT_FAILED


def webhooks_enable(given: argparse.Namespace) -> int:
    """Send again to a receiver."""
    from services.bridge.commands import receiver_named
    from services.bridge.outbox import enable
    from shared.live import connected

    with connected(_redis_url()) as client:
        enable(client, _prefix(), receiver_named(given.name).name)
    return 0


def webhooks_secret(_: argparse.Namespace) -> int:
    """A new secret."""
    from services.bridge.receivers import new_secret

    print(new_secret())
    return 0


def dead_list(given: argparse.Namespace) -> int:
    """Dead letters of every stream."""
    from shared.dead_letters import letters
    from shared.live import connected

    with connected(_redis_url()) as client:
        for letter in letters(client, _prefix()):
            text = f"{letter['stream']} {letter['entry']} ({letter['group']}): {letter['error']}"
            print(json.dumps(letter) if given.json else text)
    return 0


def dead_replay(_: argparse.Namespace) -> int:
    """Put dead letters back on their streams."""
    from shared.dead_letters import replay
    from shared.live import connected

    with connected(_redis_url()) as client:
        print(f"{replay(client, _prefix())} put back")
    return 0


def _prefix() -> str:
    from shared.settings import RunSettings, load

    return load(RunSettings).prefix


def _redis_url() -> str:
    from shared import runtime_file
    from shared.settings import RunSettings, load

    running = runtime_file.read()
    url = load(RunSettings).redis_url or (running.redis_url if running else None)
    if url is None:
        raise MoodstreamError("nothing runs here: start `moodstream run`, or set MOODSTREAM_REDIS_URL")
    return url


if __name__ == "__main__":
    sys.exit(main())
