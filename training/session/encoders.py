"""Networks that turn the songs of a session into a direction: what lies far along it comes next.

All share one tower, from what is known of a song to its vector: 28 numbers of its sound, 28 of how the artist's other
songs sound, 32 of its title and 32 of the artist's name. So a song nobody has heard yet counts like any other. They
differ in how they put the vectors of a session together:

mean        their mean
attention   their mean by weights that a song's fit to all of them gives: A. Vaswani et al., NeurIPS 2017; for sessions
            J. Li et al., "Neural attentive session-based recommendation", CIKM 2017
gru         the last state of a recurrent network: B. Hidasi et al., ICLR 2016
cnn         the greatest answers of convolutions along the session: J. Tang, K. Wang, "Caser", WSDM 2018

Playlists tell of no skips. Songs of other playlists, drawn at random or among those that sound alike, do not stand for
them: a share by which such songs are taken off was learnt for 1,500 steps, and came out as nothing (-0.01).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from services.recommender.models.artists import OtherSongs
from services.recommender.models.session import SessionModel
from services.recommender.models.vectors import Floats, Positions, Scales, Singles
from training.backends import keras, layers, ops
from training.session import names
from training.session.measures import Scores
from training.session.playlists import Playlists

Tensor: TypeAlias = Any

VERSION = "2.0.0"
WIDTH, DIMENSIONS, DROPOUT = 256, 32, 0.3
"""Of the tower."""
FORGOTTEN = 0.3
"""Share of songs that are learnt from without their title, as many without their artist or the artist's songs."""
STEPS = 700
LONGEST = 8
"""Songs of a session that is learnt from; longer ones are only read."""
BATCH, OTHERS_EACH = 256, 2
"""Sessions of a step, and songs that each brings for all to be told from."""


class Forgetful(keras.Layer):  # type: ignore[misc]  # Keras has no types
    """Inputs in groups of these sizes, of which each but the first is set to 0 for a share of the songs while learning.

    So songs are told apart, too, whose title, artist or artist's other songs are not known.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes, self.seeds = list(sizes), keras.random.SeedGenerator()

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        first, *others = self.sizes
        if not training or not others:
            return inputs
        lots = keras.random.uniform((ops.shape(inputs)[0], len(others)), seed=self.seeds)
        kept = ops.repeat(ops.cast(lots >= FORGOTTEN, "float32"), others, axis=1)
        return ops.concatenate([inputs[:, :first], inputs[:, first:] * kept], axis=1)


def tower(sizes: Sequence[int]) -> keras.Sequential:
    """Inputs [N, sum of the sizes] of songs -> vectors [N, 32]."""
    hidden: list[Any] = [Forgetful(sizes)]
    for _ in range(2):
        hidden += [layers.Dense(WIDTH, lambda x: keras.activations.gelu(x, approximate=True)), layers.Dropout(DROPOUT)]
    return keras.Sequential([keras.Input((sum(sizes),)), *hidden, layers.Dense(DIMENSIONS)], name="tower")


class Mean(keras.Layer):  # type: ignore[misc]
    """Vectors [B, K, D] of which some are present [B, K] -> their mean [B, D]; nothing where none is."""

    def call(self, vectors: Tensor, present: Tensor) -> Tensor:
        count = ops.maximum(ops.sum(present, axis=1, keepdims=True), 1.0)
        return ops.sum(vectors * present[..., None], axis=1) / count


class Attention(keras.Layer):  # type: ignore[misc]
    """As ``Mean``, by weights: how well the key of a song fits the query of the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = Mean()
        self.query = layers.Dense(DIMENSIONS, use_bias=False, kernel_initializer="zeros", name="query")
        self.key = layers.Dense(DIMENSIONS, use_bias=False, name="key")

    def call(self, vectors: Tensor, present: Tensor) -> Tensor:
        query = self.query(self.mean(vectors, present))[:, None]
        fit = ops.sum(self.key(vectors) * query, axis=2) / np.sqrt(DIMENSIONS)
        weights = ops.softmax(ops.where(present > 0, fit, -1e9), axis=1) * present
        return ops.sum(vectors * weights[..., None], axis=1)


class Recurrent(keras.Layer):  # type: ignore[misc]
    """As ``Mean``; a gated recurrent unit adds to it what the order tells."""

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.unit = Mean(), layers.GRU(64)
        self.out = layers.Dense(DIMENSIONS, kernel_initializer="zeros")

    def call(self, vectors: Tensor, present: Tensor) -> Tensor:
        return self.mean(vectors, present) + self.out(self.unit(vectors, mask=present > 0))


class Convolutional(keras.Layer):  # type: ignore[misc]
    """As ``Mean``; convolutions over neighbours add to it."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = Mean()
        self.sides = [layers.Conv1D(32, side, padding="same", activation="relu") for side in (1, 2, 3)]
        self.out = layers.Dense(DIMENSIONS, kernel_initializer="zeros")

    def call(self, vectors: Tensor, present: Tensor) -> Tensor:
        heard = vectors * present[..., None]
        found = ops.concatenate([ops.max(side(heard), axis=1) for side in self.sides], axis=1)
        return self.mean(vectors, present) + self.out(found)


POOLS: Mapping[str, Callable[[], keras.Layer]] = {
    "attention": Attention,
    "mean": Mean,
    "gru": Recurrent,
    "cnn": Convolutional,
}


class Encoder(keras.Layer):  # type: ignore[misc]
    """Scores [B, C] of songs after sessions; ``heard`` are [B, K] positions, -1 for none."""

    def __init__(self, name: str, groups: Sequence[Singles]) -> None:
        super().__init__(name=name)
        inputs = np.hstack(groups)
        self.table = self.add_weight(shape=inputs.shape, initializer="zeros", trainable=False, name="inputs")
        self.table.assign(inputs)
        self.tower, self.pool = tower([one.shape[1] for one in groups]), POOLS[name]()
        self.prior = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="prior")

    def call(self, heard: Tensor, songs: Tensor, training: bool = False) -> Tensor:
        vectors = self.tower(ops.take(self.table, songs, axis=0), training=training)
        ahead = ops.matmul(self.directions(heard, training), ops.transpose(vectors))
        return ahead + ops.transpose(self.prior(vectors))

    def directions(self, heard: Tensor, training: bool = False) -> Tensor:
        """[B, 32]"""
        rows = ops.take(self.table, ops.reshape(ops.maximum(heard, 0), (-1,)), axis=0)
        vectors = ops.reshape(self.tower(rows, training=training), (-1, heard.shape[1], DIMENSIONS))
        return self.pool(vectors, ops.cast(heard >= 0, "float32"))


class Sessions(keras.utils.PyDataset):  # type: ignore[misc]
    """Sessions drawn from playlists: what was heard, what came next, and songs that did not."""

    def __init__(self, data: Playlists, steps: int, seed: int) -> None:
        super().__init__()
        self._steps, self._seed = steps, seed
        self._lengths = np.array([len(one) for one in data.members])
        self._chances = np.sqrt(self._lengths) / np.sqrt(self._lengths).sum()
        self._members = np.full((len(data.members), self._lengths.max()), -1)
        for row, songs in enumerate(data.members):
            self._members[row, : len(songs)] = songs
        self._songs = np.unique(np.concatenate(data.members))

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> tuple[dict[str, Positions], Positions]:
        random = np.random.default_rng((self._seed, step))
        playlists = random.choice(len(self._members), BATCH, p=self._chances)
        lots = random.random((BATCH, self._members.shape[1]))
        lots[np.arange(lots.shape[1]) >= self._lengths[playlists, None]] = 2  # no song has that place
        drawn = np.argpartition(lots, LONGEST, axis=1)[:, : LONGEST + 1]
        count = np.minimum(random.integers(1, LONGEST + 1, BATCH), self._lengths[playlists] - 1)
        follows = self._members[playlists, drawn[:, 0]]
        places = np.sort(np.where(np.arange(LONGEST) < count[:, None], drawn[:, 1:], lots.shape[1]), axis=1)
        members = np.pad(self._members, [(0, 0), (0, 1)], constant_values=-1)
        heard = members[playlists[:, None], places]
        others = random.choice(self._songs, (BATCH, OTHERS_EACH))
        return {"heard": heard, "follows": follows, "others": others}, follows


def fit(name: str, data: Playlists, steps: int | None = None, seed: int = 1, *, named: bool = True) -> Encoder:
    """Sampled softmax: the song that came next against songs drawn at random. By sound alone where not ``named``."""
    steps = steps or STEPS
    keras.utils.set_random_seed(seed)
    scales = Scales.fit(data.numbers[np.unique(np.concatenate(data.members))])
    letters = names.fit(data.titles, data.artists, data.members)
    sound = scales.inputs(data.numbers)
    groups = [OtherSongs(sound, data.artists).of(slice(None)), *letters.inputs(data.titles, data.artists)]
    encoder = Encoder(name, [sound, *(groups if named else ())])
    encoder.scales, encoder.names = scales, letters
    given = {
        "heard": keras.Input((LONGEST,), dtype="int32", name="heard"),
        "follows": keras.Input((), dtype="int32", name="follows"),
        "others": keras.Input((OTHERS_EACH,), dtype="int32", name="others"),
    }
    lesson = keras.Model(given, _Loss(encoder)(**given))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    lesson.compile(keras.optimizers.AdamW(rate, weight_decay=1e-2), loss=lambda _, losses: ops.mean(losses))
    lesson.fit(Sessions(data, steps, seed), epochs=1, shuffle=False, verbose=0)
    return encoder


class _Loss(keras.Layer):  # type: ignore[misc]
    """The loss [B] of each session."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def call(self, heard: Tensor, follows: Tensor, others: Tensor, training: bool = False) -> Tensor:
        songs = ops.concatenate([follows, ops.reshape(others, (-1,))])
        scores = self.encoder(heard, songs, training=training)
        right = ops.sum(scores[:, :BATCH] * ops.eye(BATCH), axis=1, keepdims=True)
        return ops.logsumexp(ops.concatenate([right, scores[:, BATCH:]], axis=1), axis=1) - right[:, 0]


def scores_of(encoder: Encoder) -> Scores:
    """Of all songs that the encoder knows."""
    vectors = np.concatenate(
        [np.asarray(encoder.tower(part)) for part in np.array_split(np.asarray(encoder.table), 20)]
    )
    prior = vectors @ np.asarray(encoder.prior.kernel)[:, 0]

    def scores(heard: Positions) -> Floats:
        return np.asarray(vectors @ np.asarray(encoder.directions(heard[None]))[0] + prior)

    return scores


def frozen(encoder: Encoder) -> SessionModel:
    """The numbers of an encoder with attention, for ``services/recommender``."""
    values: list[Singles] = [weights.astype(np.float32) for weights in encoder.tower.get_weights()]
    return SessionModel(
        VERSION,
        encoder.scales,
        encoder.names,
        tuple(zip(values[::2], values[1::2], strict=True)),
        query=np.asarray(encoder.pool.query.kernel, np.float64),
        key=np.asarray(encoder.pool.key.kernel, np.float64),
        prior=np.asarray(encoder.prior.kernel, np.float64)[:, 0],
    )
