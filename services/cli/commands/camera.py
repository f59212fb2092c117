"""``moodstream camera``."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.camera.capture.devices import devices
from services.camera.rules.address import masked
from services.camera.rules.cameras import create_cameras
from services.camera.settings import CameraSettings, cameras_of
from services.cli.installed import is_installed
from services.cli.options import Commands, add_command, add_group, add_json, print_note
from shared.exit_codes import EXIT_FAILED
from shared.plain_text import raw
from shared.settings import load

if TYPE_CHECKING:
    from shared.contracts.mounting_view import ViewFigures


# `list` works without OpenCV, so `test` imports what needs it.


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    cameras = add_group(commands, "camera")
    add_json(add_command(cameras, "list", camera_list, "List this computer's webcams and the configured cameras."))
    text = "Test cameras: show resolution, frame rate, light, focus, faces and a picture."
    test = add_json(add_command(cameras, "test", camera_test, text))
    test.add_argument("address", nargs="?", metavar="SOURCE", help="test this source instead of the configured cameras")
    test.add_argument("--seconds", type=float, default=3.0, help="how long to watch each camera (default: 3)")
    test.add_argument("--no-picture", action="store_true", help="do not show a picture")


def camera_list(given: argparse.Namespace) -> int:
    """Webcams with their names, then the cameras of the settings. Opens none of them."""
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
    from services.camera.capture.terminal import draw_lines
    from services.camera.watch.trial import try_camera

    measure = _measuring()
    given_one = [{"id": "camera", "address": given.address}] if given.address else None
    failed = False
    for camera in create_cameras(given_one) if given_one else cameras_of(load(CameraSettings)):
        trial, jpeg = try_camera(camera, given.seconds)
        failed |= trial.fault is not None
        seen = measure(jpeg) if measure and jpeg else None
        if given.json:
            print(json.dumps(trial.as_dict() | {"view": seen and seen.model_dump(mode="json")}), flush=True)
            continue
        if jpeg and not given.no_picture:
            columns = min(shutil.get_terminal_size().columns, 80)
            colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
            print("\n".join(draw_lines(jpeg, columns, colour=colour)), file=raw(sys.stdout))
        print(_trial_line(trial), flush=True)
        for line in _face_lines(seen) if seen else ():
            print(f"    {line}", flush=True)
    return EXIT_FAILED if failed else 0


def _measuring() -> "Callable[[bytes], ViewFigures] | None":
    """What gives the figures of the operator's view for a JPEG; None in an image of the camera service alone."""
    if not is_installed("emotion"):
        return None
    from services.emotion.faces.decode import decode_grey
    from services.emotion.main import EmotionSettings, create_reader
    from services.emotion.preview.figures import measure

    reader = create_reader(load(EmotionSettings))

    def measure_jpeg(jpeg: bytes) -> "ViewFigures":
        grey = decode_grey(jpeg)
        return measure(grey, reader.read_picture(grey))

    return measure_jpeg


def _face_lines(seen: "ViewFigures") -> list[str]:
    (near_m, far_m), (least_px, most_px) = seen.best_m, seen.best_px
    light = f"frame {seen.size[0]}x{seen.size[1]}: light {seen.light:.0f} of 255, sharpness {seen.sharpness:.0f}"
    lines = [f"{light}; best distance about {near_m:g} to {far_m:g} m (faces of {least_px} to {most_px} px)"]
    for face in seen.faces:
        failed = [f"{gate.what} {gate.value:.3g}: {gate.otherwise}" for gate in face.gates if not gate.ok]
        read = "read" if face.refused is None else f"not read, {face.refused}"
        lines.append(
            "; ".join([f"face of {face.side_px} px, about {face.distance_m:g} m, {face.place}: {read}", *failed])
        )
    return lines if seen.faces else [*lines, "no face in the last picture"]


def _trial_line(trial: Any) -> str:
    name = f"{trial.camera} ({trial.address})"
    if not trial.width:
        return f"{name}: {trial.fault}"
    seen = f"{trial.width}x{trial.height}, {trial.rate:g} pictures a second, light {trial.light:.0f} of 255"
    hints = "; ".join(([trial.fault] if trial.fault else []) + list(trial.hints)) or "good"
    return f"{name}: {seen}, sharpness {trial.sharpness:.0f}: {hints}"
