"""``moodstream read`` and ``moodstream replay``."""

import argparse
import contextlib
import json
from dataclasses import replace
from pathlib import Path

from services.cli.options import Commands, add_command, add_json
from services.emotion.faces.classifier import Classifier
from services.emotion.main import EmotionSettings, create_reader
from services.emotion.offline.album import Album
from services.emotion.offline.files import read_path
from services.emotion.offline.film import check_film, writing_film
from services.emotion.offline.replay import replay as replay_file
from shared.exit_codes import EXIT_FAILED
from shared.settings import load


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    reads = add_json(add_command(commands, "read", read))
    reads.add_argument("--explain", action="store_true", help="say why a face was refused or is unsure")
    reads.add_argument(
        "--draw", type=Path, metavar="FOLDER", help="write each picture there, with the faces drawn on it"
    )
    reads.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture, a video, or a folder of them")
    replays = add_command(commands, "replay", replay)
    add_json(replays).add_argument("file", type=Path, metavar="FILE")
    replays.add_argument(
        "--rate", type=frame_rate, default=10.0, metavar="N", help="maximum frames per second (default: 10)"
    )
    replays.add_argument(
        "--video", type=Path, metavar="OUT.mp4", help="write a video with everything drawn on it: .mp4 or .webm"
    )


def read(given: argparse.Namespace) -> int:
    """Read the faces in each file. Returns 1 when a file could not be read, after all the others were."""
    settings = load(EmotionSettings)
    album = Album(given.draw, given.files) if given.draw else None
    model = Classifier(settings.model)
    reader = create_reader(settings, model)
    # one picture is not smoothed over time, so the model's own limit holds for it, not the setting
    steadiness = replace(settings.thresholds().steadiness, unsure_below=model.unsure_below)
    explained = steadiness if given.explain else None
    failed = False
    for file in given.files:
        for result in read_path(reader, file, explained, album):
            failed |= result["error"] is not None
            print(json.dumps(result) if given.json else _read_line(result), flush=True)
    return EXIT_FAILED if failed else 0


def _read_line(result: dict[str, object]) -> str:
    when = f" at {result['time_s']:.1f} s" if "time_s" in result else ""
    faces = result["faces"]
    assert isinstance(faces, list)
    found = [
        f"{face['mood']} ({face['confidence']:.0%}) at {','.join(map(str, face['box']))}"
        + (f", refused: {face['refused']}" if face["refused"] else "")
        for face in faces
    ]
    told = f"{result['file']}{when}: {result['error'] or '; '.join(found) or 'no face'}"
    asked = [f"    {'  ' if one['ok'] else '! '}{one['told']}" for face in faces for one in face.get("explained", [])]
    return "\n".join([told, *asked])


def frame_rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 240:
        raise argparse.ArgumentTypeError("must be above 0, and at most 240 frames per second")
    return rate


def replay(given: argparse.Namespace) -> int:
    """A video through the reader and the tracker."""
    if given.video:
        check_film(given.video, given.file)
    emotion = load(EmotionSettings)
    moments = replay_file(given.file, create_reader(emotion), emotion.thresholds(), given.rate)
    with writing_film(given.video, given.rate) if given.video else contextlib.nullcontext() as film:
        for moment in moments:
            print(json.dumps(moment.as_dict()) if given.json else moment.as_text(), flush=True)
            if film is not None:
                film.add(moment.drawn(), moment.time_s)
    return 0
