"""The emotion worker against its targets, in one run: detection, worse pictures, speed, workers, overload, moods.

    python -m benchmarks.emotion [--peer-python PYTHON] [--yunet MODEL] [--model MODEL] [--only PART] [--plot FILE.png]

Needs the reference data (photographs and videos). Each figure stands with its target and how many times better it is;
ratios are taken between rows of this run. The peer is the package ``fer`` (MIT) in an environment of its own: it is
measured where ``--peer-python`` names that interpreter. Exit code 1 when a target is not met.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from benchmarks.emotion.degraded import degraded
from benchmarks.emotion.detection import found, photographs
from benchmarks.emotion.moods import moods
from benchmarks.emotion.speeds import speeds
from benchmarks.emotion.table import Row, load, plot
from benchmarks.emotion.workers import ROOT, overload, start_and_memory, two_workers
from services.emotion.faces.classifier import MODEL, Classifier
from services.emotion.faces.detection import Detector
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.yunet import YuNetDetector

PARTS = ("photographs", "degraded", "speeds", "workers", "start", "overload", "moods")
DATA = Path(os.environ.get("MOODSTREAM_REFERENCE", ROOT.parent / "shared" / "data"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--yunet", type=Path, help="weights of YuNet; those that set-up has fetched when not given")
    parser.add_argument("--model", type=Path, default=MODEL, help="another model than the shipped one")
    parser.add_argument("--peer-python", type=Path, help="interpreter of an environment with the package fer")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--only", choices=PARTS)
    given = parser.parse_args()
    if given.peer_python is not None and not given.peer_python.exists():
        parser.error(f"no such interpreter: {given.peer_python}")
    return given


def measures(given: argparse.Namespace) -> dict[str, Callable[[], Iterator[Row]]]:
    """The parts of the table, each measured when it is asked."""
    data: Path = given.data
    classifier, pictures = Classifier(given.model), photographs(data)
    detectors: dict[str, Detector] = {"YuNet": YuNetDetector(given.yunet), "Haar": HaarDetector()}

    def faces_found() -> Iterator[Row]:
        for name, detector in detectors.items():
            yield from found(detector, pictures, name, bound=name == "YuNet")

    def faces_degraded() -> Iterator[Row]:
        kept_aside = [one for one in pictures if one.faces and one.part == "report"]
        for name, detector in detectors.items():
            yield from degraded(detector, classifier, kept_aside, name)

    return {
        "photographs": faces_found,
        "degraded": faces_degraded,
        "speeds": lambda: speeds(data, classifier, given.yunet, given.peer_python),
        "workers": lambda: two_workers(data),
        "start": start_and_memory,
        "overload": lambda: overload(data),
        "moods": lambda: moods(data, classifier),
    }


def main() -> int:
    given = arguments()
    os.environ["MOODSTREAM_MODEL"] = str(given.model.absolute())  # for the worker processes
    print(f"{load()}, OpenCV {cv2.__version__}, {given.model.name}")
    rows: list[Row] = []
    for name, part in measures(given).items():
        if given.only in (None, name):
            for row in part():
                rows.append(row)
                print(row, flush=True)
    print(load())
    if given.plot:
        plot(rows, given.plot)
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
