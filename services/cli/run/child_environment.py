"""What the parent of `moodstream run` tells its child, by environment variables."""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from services.cli.options import print_note

SOCKET = "MOODSTREAM_SOCKET"
"""The file descriptor of the listening socket, which outlives restarts of the child."""

READY = "MOODSTREAM_READY"
"""The file descriptor on which the child says that the page answers and everything works."""

EMBEDDED = "MOODSTREAM_EMBEDDED"
"""Set where the parent has started Redis itself."""

SIMULATED_SPOTIFY = "/simulated-spotify"
"""Where the page's server has the simulated Spotify in a demonstration."""


def player_settings(given: argparse.Namespace) -> dict[str, str]:
    """The settings that follow from the options of `run`, beside those of the cameras."""
    return {
        # a film is played for its events: each ranking is heard, however soon the next one comes
        **({"MOODSTREAM_SONG_MIN_S": "0"} if given.once else {}),
        **({"MOODSTREAM_PLAYER": given.player} if given.player else {}),
        **({"MOODSTREAM_AUTO": "true"} if given.auto else {}),
    }


def operator_settings(page: str) -> tuple[dict[str, str], str]:
    """The setting of the operator's token, and a line that says where their page is.

    There is not a setting where the environment has a token, else it is one that is made once and kept.
    """
    from shared.settings import load
    from shared.web.operator import OperatorSettings, kept_token, make_token

    settings = load(OperatorSettings)
    if settings.operator_token:
        return {}, f"Operator's page: {page}"
    file = kept_token()
    if file.exists():
        password = f"the password is in {file}"
    else:
        token = make_token(file)
        # a journal or a file would keep what only its owner may read
        password = f"password {token}, kept in {file}" if sys.stderr.isatty() else f"a password was made: see {file}"
    return {"MOODSTREAM_OPERATOR_TOKEN_FILE": str(file)}, f"Operator's page: {page}  (any name; {password})"


def demo_settings(player: str | None, page: str, stack: contextlib.ExitStack) -> dict[str, str]:
    """The settings of a demonstration: music that the page makes itself, or the simulated Spotify with its player.

    That one is served by the child, comes signed in, and is forgotten.
    """
    if player != "spotify":
        return {"MOODSTREAM_PLAYER": "house"}
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moodstream-demo-")))
    return {
        "MOODSTREAM_PLAYER": "spotify",
        "MOODSTREAM_SPOTIFY_CLIENT_ID": "moodstream-demo",
        "MOODSTREAM_SPOTIFY_REDIRECT_URI": f"{page}/player/spotify/callback",
        "MOODSTREAM_SPOTIFY_TOKEN_FILE": str(folder / "spotify.json"),
        "MOODSTREAM_SPOTIFY_APP": "no-app-in-a-demonstration",
        "MOODSTREAM_SPOTIFY_API_URL": f"{page}{SIMULATED_SPOTIFY}/v1",
        "MOODSTREAM_SPOTIFY_ACCOUNTS_URL": f"{page}{SIMULATED_SPOTIFY}/accounts",
    }


def camera_settings(given: argparse.Namespace) -> dict[str, str]:
    """The settings that say which cameras are used; empty when the environment or .env says it."""
    from services.camera.rules.address import has_secret
    from services.camera.settings import NO_LIST, CameraSettings
    from shared.settings import load

    if given.demo:
        return {"MOODSTREAM_DEMO": "true"}
    if given.camera:
        if has_secret(given.camera):
            text = "Everybody on this computer sees the password in a command: MOODSTREAM_CAMERA hides it."
            print_note(given.json, text)
        return {"MOODSTREAM_CAMERA": given.camera, "MOODSTREAM_CAMERAS": NO_LIST, "MOODSTREAM_DEMO": "false"}
    settings = load(CameraSettings)
    if settings.demo or {"camera", "cameras"} & settings.model_fields_set:
        return {}
    if (webcam := _first_webcam()) is not None:
        return {"MOODSTREAM_CAMERA": webcam}
    print_note(given.json, "No webcam was found, so a drawn face stands in; the page can use its own camera.")
    return {"MOODSTREAM_CAMERA": "pattern:"}


def _first_webcam() -> str | None:
    """The first webcam that gives pictures."""
    from services.camera.capture.devices import devices

    found = devices()
    if not found:
        return None
    from services.camera.rules.cameras import create_cameras
    from services.camera.watch.trial import try_camera

    for device in found:
        [camera] = create_cameras([{"address": device.address}])
        if device.fault is None and try_camera(camera, 0.0)[0].fault is None:
            return device.address
    return None
