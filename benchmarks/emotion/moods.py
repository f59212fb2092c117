"""How soon a change is announced, how soon the end of a visit, and how many moods are announced wrongly."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.emotion.table import Row
from moodstream.contracts.moods import MOODS, Mood
from services.emotion.faces.classifier import Classifier
from services.emotion.faces.detection import Detector
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.reader import Reader
from services.emotion.faces.yunet import YuNetDetector
from services.emotion.main import EmotionSettings
from services.emotion.offline.replay import replay
from services.emotion.visits.smoothing import SteadyMood
from shared.settings import load

EXPECTATIONS = Path(__file__).parents[2] / "tests" / "emotion" / "expectations.json"
RATES = (6, 10, 12, 15, 30)
CHANGE_AT_S = 4


def moods(data: Path, classifier: Classifier) -> Iterator[Row]:
    delays = [
        _delay_s(np.random.default_rng(round(rate * 100 + 10 * before + after)), rate, before, after)
        for rate in (5, 10, 15, 30)
        for before in range(4)
        for after in range(4)
        if before != after
    ]
    worst = float(np.percentile(delays, 95))
    yield Row("a change is announced after, p95 (noisy readings, 5-30 frames/s)", worst, "s", at_most=1.5)
    for detector in (YuNetDetector(), HaarDetector()):
        yield from _of_videos(data, classifier, detector)


def _of_videos(data: Path, classifier: Classifier, detector: Detector) -> Iterator[Row]:
    finder = type(detector).__name__.removesuffix("Detector")
    left, named, real = [], 0, 0
    for name, entry in json.loads(EXPECTATIONS.read_text()).items():
        for rate in RATES:
            shown, left_s = _shown(data / "video" / name, Reader(detector, classifier), rate)
            left += left_s
            named, real = named + len(shown), real + len(entry["moods"])
    yield Row(f"{finder}: the visit ends after the last face, at most (video)", max(left), "s", at_most=3)
    what = f"{finder}: moods announced for one real, three videos, {len(RATES)} rates"
    yield Row(what, named / real, "x", at_most=1, note=f"{named} for {real}; settings were chosen on these videos")


def _delay_s(random: np.random.Generator, rate: float, before: int, after: int) -> float:
    """From a change until it is announced, with the noise of real readings."""
    mood = SteadyMood(load(EmotionSettings).thresholds().steadiness)
    change = round(CHANGE_AT_S * rate)
    for step in range(2 * change):
        true = before if step < change else after
        shares = random.dirichlet(np.where(np.arange(4) == true, 6.0, 1.0))
        mood.add_reading([float(one) for one in shares], step / rate)
        if step >= change and mood.mood == MOODS[after]:
            return (step - change) / rate
    return float(CHANGE_AT_S)


def _shown(video: Path, reader: Reader, rate: float) -> tuple[list[Mood], list[float]]:
    """The announced moods without unsure ones, and how long after the last face each visit ended."""
    named: list[Mood] = []
    left: list[float] = []
    seen_s = 0.0
    for moment in replay(video, reader, load(EmotionSettings).thresholds(), rate):
        seen_s = moment.time_s if moment.reading.faces else seen_s
        mood = moment.mood.mood if moment.mood else Mood.NOBODY
        if moment.changed and mood != Mood.UNSURE and named[-1:] != [mood]:
            named.append(mood)
            if mood is Mood.NOBODY:
                left.append(moment.time_s - seen_s)
    return named, left
