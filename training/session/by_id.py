"""Ways that know songs by their ids alone, from which playlists they are in: a new song is unknown to all of them.

popularity  how many playlists a song is in
neighbours  songs that share playlists with those heard: B. Sarwar et al., WWW 2001, by the library ``implicit``
rbm         a restricted Boltzmann machine over the songs of a playlist: R. Salakhutdinov et al., ICML 2007
ncf         neural collaborative filtering: X. He et al., WWW 2017; the mean of what was heard stands for the user
"""

import numpy as np
import scipy.sparse

from services.recommender.models.vectors import Floats, Positions
from training.backends import keras, layers, ops
from training.session.measures import Scores
from training.session.playlists import Playlists

HIDDEN, DIMENSIONS = 100, 32
STEPS, BATCH, PAIRS = 3000, 32, 1024
"""Steps of the two that learn; playlists in one of the machine's, pairs in one of the network's."""


def popularity(data: Playlists, seed: int = 1) -> Scores:  # nothing is drawn
    counts = np.bincount(np.concatenate(data.members), minlength=len(data.numbers)).astype(float)
    return lambda heard: counts


def neighbours(data: Playlists, seed: int = 1) -> Scores:
    """Sums of cosines between the rows of songs by playlists."""
    from implicit.nearest_neighbours import ItemItemRecommender
    from sklearn.preprocessing import normalize

    model = ItemItemRecommender(K=200, num_threads=1)
    model.fit(normalize(_matrix(data).astype(float), axis=0).tocsr(), show_progress=False)
    alike = model.similarity.tocsr()
    return lambda heard: np.asarray(alike[heard].sum(axis=0)).ravel()


def _matrix(data: Playlists) -> scipy.sparse.csr_matrix:
    """Playlists by songs."""
    rows = np.repeat(np.arange(len(data.members)), [len(one) for one in data.members])
    songs = np.concatenate(data.members)
    return scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, songs)), (len(data.members), len(data.work)))


def rbm(data: Playlists, seed: int = 1) -> Scores:
    """By contrastive divergence of one step; scores are the visible side's inputs after what was heard."""
    random, matrix = np.random.default_rng(seed), _matrix(data)
    weights = random.normal(0, 0.01, (matrix.shape[1], HIDDEN)).astype(np.float32)
    share = np.asarray(matrix.mean(axis=0)).ravel().clip(1e-5)
    visible, hidden = np.log(share / (1 - share)).astype(np.float32), np.zeros(HIDDEN, np.float32)
    for step in range(STEPS):
        rate = 0.1 * (1 - step / STEPS)
        seen = matrix[random.integers(0, matrix.shape[0], BATCH)].toarray()
        likely = _sigmoid(seen @ weights + hidden)
        drawn = (random.random(likely.shape) < likely).astype(np.float32)
        dreamt = _sigmoid(drawn @ weights.T + visible)
        again = _sigmoid(dreamt @ weights + hidden)
        weights += rate * ((seen.T @ likely - dreamt.T @ again) / BATCH - 1e-4 * weights)
        visible += rate * (seen - dreamt).mean(axis=0)
        hidden += rate * (likely - again).mean(axis=0)
    return lambda heard: weights @ _sigmoid(weights[heard].sum(axis=0) + hidden) + visible


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values.clip(-30, 30))))


def ncf(data: Playlists, seed: int = 1) -> Scores:
    """A product of the two vectors beside layers over both; each playlist's song is told from four drawn at random."""
    keras.utils.set_random_seed(seed)
    random, count = np.random.default_rng(seed), len(data.numbers)
    heard, song = keras.Input((8,), dtype="int32"), keras.Input((), dtype="int32")
    table = layers.Embedding(count + 1, 2 * DIMENSIONS, embeddings_regularizer=keras.regularizers.L2(1e-6))
    known = ops.cast(heard < count, "float32")[..., None]
    users = ops.sum(table(heard) * known, axis=1) / ops.maximum(ops.sum(known, axis=1), 1.0)
    songs = table(song)
    product = users[:, :DIMENSIONS] * songs[:, :DIMENSIONS]
    both = ops.concatenate([users[:, DIMENSIONS:], songs[:, DIMENSIONS:]], axis=1)
    for width in (64, 32):
        both = layers.Dropout(0.2)(layers.Dense(width, activation="relu")(both))
    network = keras.Model([heard, song], layers.Dense(1)(ops.concatenate([product, both], axis=1)))
    network.compile(keras.optimizers.Adam(2e-3), loss=keras.losses.BinaryCrossentropy(from_logits=True))
    pairs, asked, answers = [], [], []
    for members in data.members:
        for follows in members:
            begun = np.full(8, count)
            drawn = random.choice(members, min(int(random.integers(1, 9)), len(members)), replace=False)
            drawn = drawn[drawn != follows]
            begun[: len(drawn)] = drawn
            pairs += [begun] * 5
            asked += [follows, *random.integers(0, count, 4)]
            answers += [1, 0, 0, 0, 0]
    epochs = max(1, round(STEPS * PAIRS / len(pairs)))
    network.fit([np.array(pairs), np.array(asked)], np.array(answers), batch_size=PAIRS, epochs=epochs, verbose=0)

    def scores(heard: Positions) -> Floats:
        begun = np.full(8, count)
        begun[: len(heard[-8:])] = heard[-8:]
        asked = [np.tile(begun, (count, 1)), np.arange(count)]
        return np.asarray(network.predict(asked, batch_size=8192, verbose=0))[:, 0]

    return scores
