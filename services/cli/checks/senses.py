"""Cameras, the model that reads moods, the catalogue, and the player."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from moodstream.errors import MoodstreamError
from services.cli.checks import Finding
from services.cli.installed import in_container, is_installed
from shared.settings import load


def check_model() -> Iterator[Finding]:
    if not is_installed("emotion"):
        return
    from services.emotion.faces.classifier import Classifier
    from services.emotion.main import EmotionSettings

    settings = load(EmotionSettings)
    for fault in _detector(settings):
        yield fault
        if fault.state == "missing":
            return
    try:
        Classifier(settings.model)
    except MoodstreamError as error:
        cure = "unset MOODSTREAM_MODEL" if "model" in settings.model_fields_set else _reinstall()
        yield Finding("network", "missing", str(error), cure)
    else:
        yield Finding("network", "ok")


def _detector(settings: Any) -> Iterator[Finding]:
    """What is wrong with the face detector; nothing where it is fine."""
    from services.emotion.main import create_detector

    first_choice = "yunet" if settings.detector == "auto" else settings.detector
    try:
        create_detector(settings.model_copy(update={"detector": first_choice}))
    except MoodstreamError as error:
        if settings.detector == "haar":
            yield Finding("network", "missing", str(error), _reinstall())
        elif settings.detector == "yunet":
            yield Finding("network", "missing", str(error), "export MOODSTREAM_DETECTOR=haar")
        elif settings.yunet_model is not None:
            yield Finding("network", "missing", str(error), "unset MOODSTREAM_YUNET_MODEL")
        else:
            hint = f"{error}; faces are found with Haar, which misses more"
            yield Finding("detector", "careful", hint, "moodstream setup")


def check_catalogue() -> Iterator[Finding]:
    if not is_installed("recommender"):
        return
    from services.recommender.catalogue.sample import sample_wanted
    from services.recommender.commands import moods
    from services.recommender.main import RecommenderSettings

    settings = load(RecommenderSettings)
    cure = "moodstream setup" if sample_wanted(settings.catalogue) else "moodstream songs import FILE.csv"
    try:
        next(moods(settings.catalogue))
    except MoodstreamError as error:
        yield Finding("catalogue", "missing", str(error), cure)
    except StopIteration:
        yield Finding("catalogue", "missing", "it contains no songs", "moodstream songs import FILE.csv")
    else:
        yield Finding("catalogue", "ok")


def check_player() -> Iterator[Finding]:
    if not is_installed("player"):
        return
    from services.player.commands import try_output
    from services.player.main import PlayerSettings

    settings = load(PlayerSettings)
    yield from _token(settings.spotify_token_file)
    try:
        outcome = try_output(settings, []).outcome
    except MoodstreamError as error:
        yield Finding("player", "missing", str(error), _cure_of_player(settings, ""))
        return
    if outcome.state in ("ready", "playing", "paused"):
        yield Finding("player", "ok", settings.player)
    else:
        hint = f"{settings.player}: {outcome.state.replace('_', ' ')}. {outcome.advice}".strip()
        yield Finding("player", "missing", hint, _cure_of_player(settings, outcome.state))


def _token(file: Path) -> Iterator[Finding]:
    try:
        others = stat.S_IMODE(file.stat().st_mode) & 0o077
    except OSError:
        return
    if others:
        hint = f"other users of this machine can read {file}, which gives access to a Spotify account"
        yield Finding("token", "missing", hint, f"chmod 600 {file}")


def _cure_of_player(settings: Any, state: str) -> str:
    if settings.player == "mpd":
        local = settings.mpd_address.startswith(("/", "127.", "localhost"))
        return "sudo systemctl start mpd" if local else "export MOODSTREAM_MPD_ADDRESS=HOST:6600"
    if settings.player == "spotify" and not settings.spotify_client_id:
        return "export MOODSTREAM_SPOTIFY_CLIENT_ID=ID"
    if state in ("signed_out", "needs_reauthorization"):
        return "moodstream player login"
    return "export MOODSTREAM_PLAYER=house"


def check_cameras() -> Iterator[Finding]:
    """Those that are set must give pictures; a webcam that nobody asked for may be missing."""
    if not is_installed("camera"):
        return
    from services.camera.rules.address import masked
    from services.camera.settings import CameraSettings, cameras_of
    from services.camera.watch.trial import try_camera

    settings = load(CameraSettings)
    if settings.demo:
        yield Finding("camera", "ok", "simulated visitors")
        return
    if not {"camera", "cameras"} & settings.model_fields_set:
        yield from _webcam()
        return
    try:
        cameras = cameras_of(settings)
    except MoodstreamError as error:
        yield Finding("camera", "missing", str(error), "moodstream camera list")
        return
    for one in cameras:
        fault = try_camera(one, 0.0)[0].fault
        if fault is None:
            yield Finding(f"camera {one.id}", "ok")
        else:
            hint = f"{masked(one.address)}: {fault}"
            yield Finding(f"camera {one.id}", "missing", hint, cure_of_camera(one.address, container=in_container()))


def _webcam() -> Iterator[Finding]:
    from services.camera.capture.devices import devices
    from services.camera.rules.cameras import create_cameras
    from services.camera.watch.trial import try_camera

    found = devices()
    if not found:
        yield Finding("webcam", "not used", "none was found; a drawn face or the page's camera is used")
    for one in found:
        fault = one.fault or try_camera(create_cameras([{"address": one.address}])[0], 0.0)[0].fault
        if fault is None:
            yield Finding("webcam", "ok", one.name)
        else:
            cure = cure_of_camera(one.address, container=in_container())
            yield Finding("webcam", "careful", f"{one.name}: {fault}", cure)


def cure_of_camera(
    address: str, *, container: bool, dev: Path = Path("/dev"), allowed: Callable[[Path], bool] | None = None
) -> str:
    """The command for a camera that gives no pictures, inside a container or outside."""
    from services.camera.capture.devices import may_use
    from services.camera.rules.address import webcam_number

    number = webcam_number(address)
    if number is None:
        host = urlsplit(address).hostname
        return f"ping -c 3 {host}" if host else "moodstream camera list"
    node = dev / f"video{number}"
    if not node.exists():
        return f"docker run --device {node} ..." if container else "moodstream camera list"
    if not (allowed or may_use)(node):
        return "docker run --group-add video ..." if container else "sudo usermod -aG video $USER"
    return f"fuser -v {node}"


def _reinstall() -> str:
    return "pip install --force-reinstall --no-deps moodstream"
