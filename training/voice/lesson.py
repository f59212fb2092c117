"""Teaching networks: batches drawn evenly from moods and corpora, worn, masked and mixed."""

from collections.abc import Callable, Sized
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moodstream.contracts.moods import MOODS
from services.voice.log_mel import BANDS, LEVEL, Floats
from services.voice.normalise import FRAMES, INPUTS, NUMBERS_IN, OWN_S, Statistics, Usual, frames_in, numbers_in
from training.backends import Tensor, keras, ops
from training.voice.corpora import AT_SPEEDS, WORN, Ints, Voices
from training.voice.measures import HIGH
from training.voice.network import of_frames, of_numbers
from training.voice.rows import chances, others_of

Say = Callable[[str], None]


@dataclass(frozen=True)
class Lesson:
    """How a network is taught. A few ways were tried on the first fold of the speakers alone."""

    epochs: int = 24
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    frames: int = 128
    """of a piece, at most: 2.0 s, drawn anew each time"""
    own: float = 0.5
    """share of pieces that are given statistics of the speaker's other speech"""
    worn: float = 0.5
    """share of pieces that come from another room, microphone or network"""
    sped: float = 0.3
    """share of pieces that are heard at another of ``SPEEDS``"""
    smoothing: float = 0.1
    mixed: float = 0.3
    """share of batches whose pieces are mixed in pairs"""
    evenness: float = 0.5
    """0: a corpus counts by its size; 1: all alike"""
    width: int = 32
    dropout: float = 0.35


@dataclass(frozen=True, eq=False)
class Pupil:
    """A network that was taught, and what its input is measured against."""

    network: keras.Model
    usual: Usual


def usual(voices: Voices, pieces: Ints) -> Usual:
    """What is usual for everybody, over some pieces."""
    numbers, speakers = voices.numbers[0, pieces], voices.speaker[pieces]
    within = [numbers[speakers == name].var(axis=0) for name in np.unique(speakers) if (speakers == name).sum() > 5]
    bands = [one.bands - one.level for one in map(Statistics, voices.sums[0, pieces])]
    return Usual(
        np.mean(bands, axis=0).astype(np.float32),
        numbers.mean(axis=0),
        numbers.std(axis=0) + np.float32(1e-4),
        np.sqrt(np.mean(within, axis=0)) + np.float32(1e-4),
    )


class Batches:
    """Draws batches of pieces: inputs [B, frames, INPUTS]."""

    def __init__(self, voices: Voices, pieces: Ints, lesson: Lesson, seed: int) -> None:
        self._voices, self._pieces, self._lesson = voices, pieces, lesson
        self._draw = np.random.default_rng(seed)
        self._speaker = voices.speaker
        self._same = {name: pieces[self._speaker[pieces] == name] for name in np.unique(self._speaker[pieces])}
        self.usual = usual(voices, pieces)
        self._chance = chances(voices, pieces, lesson.evenness)

    def frames(self) -> tuple[Floats, Ints]:
        """Frames [B, frames, INPUTS] and the pieces that they were made of."""
        chosen = self._pieces[self._draw.choice(len(self._pieces), self._lesson.batch, p=self._chance)]
        return np.stack([self._frames(piece) for piece in chosen]), chosen

    def _copy(self) -> int:
        chance = self._draw.random()
        if chance < self._lesson.worn:
            return int(self._draw.integers(WORN.start, WORN.stop))
        return int(self._draw.choice(AT_SPEEDS[1:])) if chance < self._lesson.worn + self._lesson.sped else 0

    def _frames(self, piece: int) -> Floats:
        draw, lesson, copy = self._draw, self._lesson, self._copy()
        features = self._voices.copies[copy][piece]
        length = lesson.frames if draw.random() < 0.5 else int(lesson.frames * draw.uniform(0.4, 1))
        start = int(draw.integers(max(1, len(features) - length + 1)))
        features = features[start : start + length]
        rows = frames_in(self._bent(features), self.usual, self._own(piece, copy))[: lesson.frames]
        return self._masked(rows, len(features))

    def _own(self, piece: int, copy: int) -> Statistics | None:
        """Statistics of some of the speaker's other pieces, in the same room."""
        if self._draw.random() >= self._lesson.own:
            return None
        wanted_s = self._draw.uniform(3, OWN_S)
        some = others_of(self._voices, piece, self._same[self._speaker[piece]], wanted_s, self._draw)
        return Statistics(self._voices.sums[copy, some].sum(axis=0)) if len(some) else None

    def _bent(self, features: Floats) -> Floats:
        """Another voice, another microphone: bands shifted by up to two, and a tilt."""
        shift = int(self._draw.integers(-2, 3))
        if shift:
            features = features.copy()
            features[:, :BANDS] = features[:, np.clip(np.arange(BANDS) - shift, 0, BANDS - 1)]
        tilt = np.zeros(features.shape[1], np.float32)
        tilt[:BANDS] = np.linspace(-1, 1, BANDS) * self._draw.normal() * 0.5
        return features + tilt

    def _masked(self, rows: Floats, length: int) -> Floats:
        draw = self._draw
        if draw.random() < 0.6:
            first = int(draw.integers(BANDS - 10))
            rows[:, first : first + int(draw.integers(2, 11))] = 0
        if draw.random() < 0.4:
            first = int(draw.integers(max(1, length - 10)))
            rows[first : first + int(draw.integers(3, 16)), :BANDS] = 0
        rows[:, LEVEL] += np.float32(draw.normal() * 0.1) * rows[:, -1]
        return rows


def teach_frames(voices: Voices, pieces: Ints, lesson: Lesson, seed: int, say: Say = lambda _: None) -> keras.Model:
    """A network fitted on the frames of some pieces."""
    keras.utils.set_random_seed(seed)
    network = of_frames(lesson.width, lesson.dropout, lesson.frames)
    batches = Batches(voices, pieces, lesson, seed)
    wanted = labels(voices.mood, lesson.smoothing)

    def batch() -> tuple[Floats, Floats]:
        given, chosen = batches.frames()
        return given, wanted[chosen]

    _teach(network, batch, _steps(pieces, lesson), lesson, seed, say)
    whole = of_frames(lesson.width, lesson.dropout)
    whole.set_weights(network.get_weights())
    return whole


def teach_numbers(
    rows: Floats, moods: Ints, chance: NDArray[np.float64], lesson: Lesson, seed: int, say: Say = lambda _: None
) -> keras.Model:
    """A network fitted on summaries [2 * copies, pieces, NUMBERS_IN] as ``taught_rows`` has them, of which pieces are
    drawn by their ``chance``; batches are larger than those of frames, as they cost little."""
    keras.utils.set_random_seed(seed)
    network = of_numbers(dropout=lesson.dropout)
    draw = np.random.default_rng([seed, 2])
    wanted = labels(moods, lesson.smoothing)
    size, copies = 4 * lesson.batch, len(rows) // 2

    def batch() -> tuple[Floats, Floats]:
        chosen = draw.choice(len(moods), size, p=chance)
        with_own, copy = draw.random(size) < lesson.own, draw.integers(copies, size=size)
        return rows[copy + copies * with_own, chosen], wanted[chosen]

    _teach(network, batch, _steps(chance, lesson), lesson, seed, say)
    return network


def _steps(pieces: Sized, lesson: Lesson) -> int:
    return max(1, len(pieces) // lesson.batch) * lesson.epochs


def _teach(
    network: keras.Model, batch: Callable[[], tuple[Floats, Floats]], steps: int, lesson: Lesson, seed: int, say: Say
) -> None:
    """So many steps; inputs and labels come from ``batch``."""
    draw = np.random.default_rng([seed, 1])
    network.compile(_optimizer(lesson, steps), _loss, jit_compile=keras.backend.backend() == "jax")
    for at in range(1, steps + 1):
        loss = network.train_on_batch(*_mixed(*batch(), lesson.mixed, draw))
        if at % 500 == 0:
            say(f"step {at} of {steps}: mean loss {loss:.3f}")


def _optimizer(lesson: Lesson, steps: int) -> keras.Optimizer:
    first, warm = lesson.learning_rate / 10, max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        first, steps, warmup_target=lesson.learning_rate, warmup_steps=warm, alpha=0.02
    )
    return keras.optimizers.AdamW(rate, weight_decay=lesson.weight_decay)


def _loss(target: Tensor, answer: Tensor) -> Tensor:
    moods = ops.categorical_crossentropy(target[:, :4], answer[:, :4], from_logits=True)
    high = ops.binary_crossentropy(target[:, 4], answer[:, 4], from_logits=True)
    return ops.mean(moods) + 0.5 * ops.mean(high)


def _mixed(given: Floats, target: Floats, chance: float, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """Some batches are mixed in pairs (H. Zhang et al., 2018)."""
    if draw.random() >= chance:
        return given, target
    share, other = np.float32(draw.beta(0.4, 0.4)), draw.permutation(len(given))
    both = share * given + (1 - share) * given[other]
    if given.ndim == 3:  # where there is sound in one of them, there is in both
        both[:, :, -1] = np.maximum(given[:, :, -1], given[other][:, :, -1])
    return both, share * target + (1 - share) * target[other]


def labels(mood: Ints, smoothing: float) -> Floats:
    """[pieces, 5]: the moods, softened, and high arousal."""
    soft = np.eye(len(MOODS), dtype=np.float32)[mood] * (1 - smoothing) + smoothing / len(MOODS)
    return np.column_stack([soft, np.abs((mood < HIGH) - smoothing / 2)]).astype(np.float32)


def inputs(
    voices: Voices, pieces: Ints, usual: Usual, own: bool, copy: int = 0, seed: int = 0
) -> tuple[Floats, Floats]:
    """Frames [n, FRAMES, INPUTS] and summaries [n, NUMBERS_IN] of a copy of some pieces. With ``own``, against
    ``OWN_S`` of other pieces of the same speaker, drawn from all."""
    draw = np.random.default_rng(seed)
    speaker, summaries = voices.speaker, voices.numbers[copy]
    speech, numbers = (np.empty((len(pieces), *shape), np.float32) for shape in ((FRAMES, INPUTS), (NUMBERS_IN,)))
    for at, piece in enumerate(pieces):
        statistics = None
        if own:
            some = others_of(voices, piece, np.flatnonzero(speaker == speaker[piece]), OWN_S, draw)
            statistics = Statistics(voices.sums[copy, some].sum(axis=0)) if len(some) else None
        speech[at] = frames_in(voices.copies[copy][piece], usual, statistics)
        numbers[at] = numbers_in(summaries[piece], usual, statistics)
    return speech, numbers


def logits(pupil: Pupil, voices: Voices, pieces: Ints, own: bool, batch: int = 128) -> NDArray[np.float32]:
    """Answers [n, ANSWERS] to pieces as the product hears them: the mean over ``SPEEDS``."""
    found = []
    for copy in AT_SPEEDS:
        given = inputs(voices, pieces, pupil.usual, own, copy)
        parts = ([one[at : at + batch] for one in given] for at in range(0, len(pieces), batch))
        found.append(np.concatenate([np.asarray(pupil.network.predict_on_batch(part)) for part in parts]))
    return np.asarray(np.mean(found, axis=0), np.float32)
