"""The readers of summaries: what the kernel computes, what it learns, and what is taken out before."""

import numpy as np
import onnx
import pytest

from services.voice.log_mel import BANDS
from services.voice.normalise import NUMBERS_IN, SUMS
from services.voice.summary import NUMBERS
from tests.support.needs import missing

try:
    from training.voice.corpora import AT_SPEEDS, Voices
    from training.voice.export import LARGE, in_half_precision
    from training.voice.kernel import WIDTH, Kernel, fit_kernel, of_kernel
    from training.voice.lesson import usual
    from training.voice.network import WithoutSpeaker
    from training.voice.rows import DIRECTIONS, chances, in_half, speaker_directions, taught_rows
except ModuleNotFoundError:
    missing("tensorflow (make setup-train)")

pytestmark = pytest.mark.filterwarnings("ignore")
MOODS, SPEAKERS = np.tile(np.arange(4), 60), np.repeat([f"s{at:02}" for at in range(12)], 20)


def answers(kernel: "Kernel", numbers: np.ndarray) -> np.ndarray:
    return np.asarray(of_kernel(kernel).predict(numbers, verbose=0))


def voices(numbers: np.ndarray) -> "Voices":
    """Pieces of twelve speakers whose summaries [pieces, NUMBERS] are these, in every copy."""
    copies = 1 + max(AT_SPEEDS)
    sums = np.zeros((copies, len(MOODS), SUMS))
    sums[:, :, BANDS : BANDS + 5] = 1  # of frames, of those with a pitch, of pieces
    sums[:, :, -2 * NUMBERS : -NUMBERS], sums[:, :, -NUMBERS:] = numbers, np.square(numbers)
    frames = [np.zeros((60, 1), np.float32)] * len(MOODS)
    return Voices([frames] * copies, sums, MOODS, np.full(len(MOODS), "one"), SPEAKERS)


def test_the_layer_weighs_likeness_to_what_was_met() -> None:
    draw = np.random.default_rng(1)
    landmarks, numbers = (draw.normal(size=(n, NUMBERS_IN)).astype(np.float32) for n in (6, 5))
    kernel = Kernel(landmarks, draw.normal(size=(6, 4)).astype(np.float32), draw.normal(size=4).astype(np.float32))
    apart = np.square(numbers[:, None] - landmarks).sum(axis=2)
    moods = np.exp(-WIDTH * apart) @ kernel.weights + kernel.biases
    high = np.logaddexp(moods[:, 0], moods[:, 1]) - np.logaddexp(moods[:, 2], moods[:, 3])
    assert answers(kernel, numbers) == pytest.approx(np.column_stack([moods, high]), abs=1e-3)


def test_it_learns_what_tells_moods_apart_in_speakers_that_it_has_not_met() -> None:
    draw = np.random.default_rng(2)
    numbers = draw.normal(size=(len(MOODS), NUMBERS))
    numbers[:, :40] += 1.5 * draw.normal(size=(4, 40))[MOODS]
    some = voices(numbers)
    met, others = np.flatnonzero(SPEAKERS < "s04"), np.flatnonzero(SPEAKERS >= "s04")
    fitted = usual(some, met)
    kernel = fit_kernel(taught_rows(some, met, fitted), MOODS[met], chances(some, met, 0.5), seed=1)
    assert kernel.weights.shape == (len(kernel.landmarks), 4)
    given = taught_rows(some, others, fitted)[0]
    assert (answers(kernel, given)[:, :4].argmax(axis=1) == MOODS[others]).mean() > 0.8


def test_what_speakers_differ_in_is_taken_out_and_what_moods_differ_in_stays() -> None:
    draw = np.random.default_rng(3)
    numbers = 0.1 * draw.normal(size=(len(MOODS), NUMBERS))
    numbers[:, :60] += draw.normal(size=12)[np.arange(len(MOODS)) // 20, None]
    numbers[:, 60:120] += MOODS[:, None]
    some, every = voices(numbers), np.arange(len(MOODS))
    rows = taught_rows(some, every, usual(some, every))
    directions = speaker_directions(some, every, rows)
    assert len(directions) == DIRECTIONS
    assert directions @ directions.T == pytest.approx(np.eye(DIRECTIONS), abs=1e-4)
    rest = np.asarray(WithoutSpeaker(directions)(rows))[0]
    assert rest[:, :60].mean(axis=1).std() < 0.1 * rows[0, :, :60].mean(axis=1).std()
    assert np.corrcoef(rest[:, 60:120].mean(axis=1), MOODS)[0, 1] > 0.99
    known = rows[0].copy()
    known[:, -1] = 1
    assert np.asarray(WithoutSpeaker(directions)(known)) == pytest.approx(known)
    assert np.asarray(WithoutSpeaker(directions[:0])(rows[0])) == pytest.approx(rows[0])


def test_of_few_recordings_nothing_is_taken_out() -> None:
    some = voices(np.random.default_rng(4).normal(size=(len(MOODS), NUMBERS)))
    few = np.array([0, 21, 42, 63])
    assert speaker_directions(some, few, taught_rows(some, few, usual(some, np.arange(240)))).shape == (0, NUMBERS_IN)


def test_weights_that_are_exact_in_half_precision_are_stored_so() -> None:
    draw = np.random.default_rng(5)
    exact = in_half(draw.normal(size=(LARGE // 10, 10)).astype(np.float32))
    other = draw.normal(size=(10, LARGE // 10)).astype(np.float32)
    stored = [onnx.numpy_helper.from_array(one, name) for one, name in ((exact, "exact"), (other, "other"))]
    graph = onnx.helper.make_graph([], "some", [], [], stored)
    model = onnx.helper.make_model(graph)
    in_half_precision(model)
    kinds = {one.name: one.data_type for one in model.graph.initializer}
    assert kinds == {"other": onnx.TensorProto.FLOAT, "exact_half": onnx.TensorProto.FLOAT16}
    assert (onnx.numpy_helper.to_array(model.graph.initializer[-1]) == exact).all()
    assert [(node.op_type, *node.input, *node.output) for node in model.graph.node] == [("Cast", "exact_half", "exact")]
