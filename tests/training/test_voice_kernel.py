"""The kernel beside the voice network: what it computes, what it learns, and what goes into the file that ships."""

import numpy as np
import pytest

from services.voice.log_mel import BANDS
from services.voice.normalise import NUMBERS_IN, SUMS
from services.voice.summary import NUMBERS
from tests.support.needs import missing

try:
    from training.backends import keras
    from training.voice.corpora import AT_SPEEDS, Voices
    from training.voice.kernel import SHARE, WIDTH, Kernel, fit_kernel, with_kernel
    from training.voice.lesson import usual
    from training.voice.network import ANSWERS
except ModuleNotFoundError:
    missing("tensorflow (make setup-train)")

pytestmark = pytest.mark.filterwarnings("ignore")


def silent_network() -> "keras.Model":
    """Says nothing of anything."""
    speech, numbers = keras.Input((3, 2), name="speech"), keras.Input((NUMBERS_IN,), name="numbers")
    nothing = keras.layers.Dense(ANSWERS, kernel_initializer="zeros", use_bias=False)
    return keras.Model([speech, numbers], nothing(keras.layers.Flatten()(speech)) + 0 * numbers[:, :ANSWERS])


def answers(kernel: "Kernel", numbers: np.ndarray) -> np.ndarray:
    together = with_kernel(silent_network(), kernel)
    return np.asarray(together.predict([np.zeros((len(numbers), 3, 2), np.float32), numbers], verbose=0))


def test_the_layer_weighs_likeness_to_what_was_met() -> None:
    draw = np.random.default_rng(1)
    landmarks, numbers = (draw.normal(size=(n, NUMBERS_IN)).astype(np.float32) for n in (6, 5))
    kernel = Kernel(landmarks, draw.normal(size=(6, 4)).astype(np.float32), draw.normal(size=4).astype(np.float32))
    apart = np.square(numbers[:, None] - landmarks).sum(axis=2)
    moods = np.exp(-WIDTH * apart) @ kernel.weights + kernel.biases
    high = np.logaddexp(moods[:, 0], moods[:, 1]) - np.logaddexp(moods[:, 2], moods[:, 3])
    assert answers(kernel, numbers) == pytest.approx(SHARE * np.column_stack([moods, high]), abs=1e-3)


def test_it_learns_what_tells_moods_apart_in_speakers_that_it_has_not_met() -> None:
    draw = np.random.default_rng(2)
    moods, speakers = np.tile(np.arange(4), 60), np.repeat([f"s{at}" for at in range(12)], 20)
    numbers = draw.normal(size=(1 + max(AT_SPEEDS), len(moods), NUMBERS))
    numbers[:, :, :40] += 1.5 * draw.normal(size=(4, 40))[moods]
    sums = np.zeros((len(numbers), len(moods), SUMS))
    sums[:, :, BANDS : BANDS + 5] = 1  # of frames, of those with a pitch, of pieces
    sums[:, :, -2 * NUMBERS : -NUMBERS], sums[:, :, -NUMBERS:] = numbers, np.square(numbers)
    lengths = [np.zeros((60, 1), np.float32)] * len(moods)
    some = Voices([lengths] * len(numbers), sums, moods, np.full(len(moods), "one"), speakers)
    met, others = np.flatnonzero(speakers < "s4"), np.flatnonzero(speakers >= "s4")
    kernel = fit_kernel(some, met, usual(some, met), 0.5, seed=1)
    assert kernel.weights.shape == (len(kernel.landmarks), 4)
    fitted = usual(some, met)
    given = np.zeros((len(others), NUMBERS_IN), np.float32)
    given[:, :-1] = (numbers[0, others] - fitted.mean) / fitted.spread
    given[:, NUMBERS - 1] = 0
    assert (answers(kernel, given)[:, :4].argmax(axis=1) == moods[others]).mean() > 0.8
