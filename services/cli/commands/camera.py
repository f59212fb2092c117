"""``moodstream camera``."""

import argparse
import json
import os
import sys
from typing import Any

from services.cli.options import Commands, add_command, add_group, add_json, print_note
from shared.exit_codes import EXIT_FAILED
from shared.plain_text import raw


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    cameras = add_group(commands, "camera", "List and test cameras.")
    add_json(add_command(cameras, "list", camera_list, "List this computer's webcams and the configured cameras."))
    text = "Test cameras: show resolution, frame rate, light, focus and a picture."
    test = add_json(add_command(cameras, "test", camera_test, text))
    test.add_argument("address", nargs="?", metavar="SOURCE", help="test this source instead of the configured cameras")
    test.add_argument("--seconds", type=float, default=3.0, help="how long to watch each camera (default: 3)")
    test.add_argument("--no-picture", action="store_true", help="do not show a picture")


def camera_list(given: argparse.Namespace) -> int:
    """Webcams with their names, then the cameras of the settings. Opens none of them."""
    from services.camera.capture.devices import devices
    from services.camera.rules.address import masked
    from services.camera.settings import CameraSettings, cameras_of
    from shared.settings import load

    webcams = devices()
    for one in webcams:
        found = {"kind": "device", "address": one.address, "name": one.name, "fault": one.fault}
        text = f"{one.address:<12}{one.name}" + (f": {one.fault}" if one.fault else "")
        print(json.dumps(found) if given.json else text)
    if not webcams:
        print_note(given.json, "No webcam was found.")
    for camera in cameras_of(load(CameraSettings)):
        address, rate = masked(camera.address), camera.frame_rate
        found = {"kind": "setting", "id": camera.id, "address": address, "frame_rate": rate}  # type: ignore[dict-item]
        print(json.dumps(found) if given.json else f"{camera.id:<12}{address}, {rate:g} pictures a second")
    return 0


def camera_test(given: argparse.Namespace) -> int:
    """Watch each camera for a few seconds. Returns 1 when one gives no pictures."""
    import shutil

    from services.camera.capture.terminal import draw_lines
    from services.camera.rules.cameras import create_cameras
    from services.camera.settings import CameraSettings, cameras_of
    from services.camera.watch.trial import try_camera
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
            colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
            print("\n".join(draw_lines(jpeg, columns, colour=colour)), file=raw(sys.stdout))
        print(_trial_line(trial), flush=True)
    return EXIT_FAILED if failed else 0


def _trial_line(trial: Any) -> str:
    name = f"{trial.camera} ({trial.address})"
    if not trial.width:
        return f"{name}: {trial.fault}"
    seen = f"{trial.width}x{trial.height}, {trial.rate:g} pictures a second, light {trial.light:.0f} of 255"
    hints = "; ".join(([trial.fault] if trial.fault else []) + list(trial.hints)) or "good"
    return f"{name}: {seen}, sharpness {trial.sharpness:.0f}: {hints}"
