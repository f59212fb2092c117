"""Tunes the drawn face until the mood model reads its four expressions as they are meant.

    python -m benchmarks.drawn_face [--model FILE] [--tries N] [--seed N]

Hill climbing from the expressions in ``services/camera/drawn/expressions.py``: one try changes a few of an expression's
measures at random, draws it at several places, sizes, turns and blurs, finds it with the service's own cascade, and
keeps the change when the model is surer of the mood. Changes cost something, so that the face stays one that
people read too, and measures stay in ranges that look like a face. Prints the table to put there,
and what the model makes of one whole cycle of the script.
"""

import argparse
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS, Mood
from services.camera.drawn import pattern
from services.camera.drawn.expressions import EXPRESSIONS, Expression
from services.camera.drawn.face import draw_face, place_face
from services.emotion.faces.classifier import MODEL, Classifier
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.patches import crop

RANGES: dict[str, tuple[float, float]] = {
    "brow_inner": (-0.22, 0.20),
    "brow_outer": (-0.16, 0.14),
    "brow_arch": (0.0, 0.12),
    "brow_gap": (0.12, 0.28),
    "brow_thick": (0.05, 0.13),
    "frown": (0.0, 1.0),
    "eye_open": (0.05, 0.16),
    "eye_squint": (0.0, 0.07),
    "eye_slant": (-0.08, 0.08),
    "mouth_corner": (-0.20, 0.20),
    "mouth_width": (0.26, 0.54),
    "mouth_open": (0.0, 0.16),
    "mouth_y": (0.70, 0.84),
    "lips": (0.04, 0.10),
    "teeth": (0.0, 1.0),
    "fold": (0.0, 1.0),
    "cheek": (0.0, 1.0),
    "socket": (0.0, 0.7),
}
"""Measures outside these do not look like a face any more."""

PRICE = 0.15
"""What a change of every measure by a quarter of its range costs, in units of log probability."""

LOW = np.array([RANGES[field.name][0] for field in fields(Expression)])
HIGH = np.array([RANGES[field.name][1] for field in fields(Expression)])
SIZE = (320, 240)


@dataclass(frozen=True)
class Placement:
    """One way to see a face."""

    at: tuple[float, float]
    scale: float
    roll: float
    blur_px: float
    gain: float


class Judge:
    """Reads drawn faces as the service does."""

    def __init__(self, model: Path) -> None:
        self._detector, self._model = HaarDetector(), Classifier(model)

    def read_picture(self, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Probabilities float32[4] of the largest face in a picture uint8[H, W, 3]; None without a face."""
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        boxes = self._detector.find_faces(grey)
        if not boxes:
            return None
        return np.asarray(self._model.probabilities(crop(grey, boxes[0])[None])[0], np.float32)

    def score(self, mood: Mood, expression: Expression, placements: Sequence[Placement]) -> float:
        """Log probability of the mood: the average of the mean and of the worst placement."""
        drawn = draw_face(expression)
        logs = []
        for one in placements:
            picture = place_face(drawn, one.at, one.scale, one.roll, SIZE).astype(np.float32) * one.gain
            if one.blur_px:
                picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), one.blur_px), np.float32)
            reading = self.read_picture(np.clip(picture, 0, 255).astype(np.uint8))
            logs.append(np.log(1e-3 if reading is None else max(1e-3, float(reading[MOODS.index(mood)]))))
        return float(np.mean(logs) + np.min(logs)) / 2


def placements(count: int, random: np.random.Generator) -> list[Placement]:
    """Random ways to see a face, of the kind that the script moves through."""
    return [
        Placement(
            at=(random.uniform(130, 190), random.uniform(108, 132)),
            scale=random.uniform(0.48, 0.64),
            roll=random.uniform(-0.06, 0.06),
            blur_px=random.choice([0.0, 0.0, 0.5, 0.8]),
            gain=random.uniform(0.8, 1.1),
        )
        for _ in range(count)
    ]


def search(judge: Judge, mood: Mood, tries: int, random: np.random.Generator) -> Expression:
    """The best expression found for a mood."""
    start = np.array(astuple(EXPRESSIONS[mood]))
    ways = placements(6, random)

    def value(measures: NDArray[np.float64]) -> float:
        cost = PRICE * float(np.mean(((measures - start) / (0.25 * (HIGH - LOW))) ** 2))
        return judge.score(mood, Expression(*measures), ways) - cost

    best, best_value, step = start, value(start), 0.15
    for number in range(tries):
        changed = random.random(len(best)) < 0.3
        moved = best + changed * random.normal(0, step, len(best)) * (HIGH - LOW)
        moved = np.clip(moved, LOW, HIGH).round(3)
        if (moved_value := value(moved)) > best_value:
            best, best_value = moved, moved_value
        step = max(0.04, step * 0.995)
        if number % 50 == 49:
            print(f"# {mood}: {number + 1} tries, score {best_value:.3f}", flush=True)
    return Expression(*best)


def cycle(judge: Judge, every_s: float = 0.1) -> None:
    """What the model makes of the script as it is."""
    start_s = 0.0
    for mood, seconds in pattern.SCRIPT:
        times = np.arange(start_s + pattern.CHANGE_S, start_s + seconds, every_s)
        start_s += seconds
        readings = [judge.read_picture(pattern.draw(float(t))) for t in times]
        found = np.array([reading for reading in readings if reading is not None])
        if mood not in MOODS:
            print(f"{mood}: a face in {len(found)} of {len(times)} frames")
            continue
        sure = found[:, MOODS.index(mood)]
        print(
            f"{mood}: found in {len(found)} of {len(times)} frames, read as meant in "
            f"{np.mean(found.argmax(axis=1) == MOODS.index(mood)):.1%}, above 0.6 in {np.mean(sure > 0.6):.1%}, "
            f"mean {sure.mean():.2f}, least {sure.min():.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--tries", type=int, default=0, help="per mood; 0 only reads the script as it is")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--moods", nargs="*", type=Mood, default=list(MOODS))
    given = parser.parse_args()
    judge = Judge(given.model)
    random = np.random.default_rng(given.seed)
    for mood in given.moods if given.tries else ():
        found = search(judge, mood, given.tries, random)
        print(f"    Mood.{mood.name}: Expression({', '.join(f'{value:.3g}' for value in astuple(found))}),", flush=True)
    cycle(judge)


if __name__ == "__main__":
    main()
