"""Fits the model that says which songs are alike, on which songs people put into one playlist.

``python -m training.songs.similarity --playlists spotify_songs.csv --out models/song_similarity.npz``, with the table
of TidyTuesday of 21 January 2020. A fifth of the playlists is kept aside, with all their songs, and says how good the
method is; what is saved is then fitted on all playlists.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.recommender.models.vectors import INPUTS, SIMILARITY, Embedding, Floats, Scales, Singles
from training.intervals import bootstrap

SONGS_EACH = 8
PLAYLISTS_EACH = 48
MIN_SONGS = 5
STEPS = 3000
WIDTH, DIMENSIONS = 128, 8

Playlist = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Playlists:
    numbers: Floats
    """[n, 12] of the songs"""
    members: list[Playlist]
    """positions of the songs of each playlist"""


def read(path: Path) -> Playlists:
    table = pd.read_csv(path)
    table = table[table["tempo"] > 0].drop_duplicates(["track_id", "playlist_id"])
    songs = table.drop_duplicates("track_id").set_index("track_id").sort_index()
    at = pd.Series(np.arange(len(songs)), index=songs.index)
    members = [at[group].to_numpy() for _, group in table.groupby("playlist_id")["track_id"]]
    return Playlists(songs[list(INPUTS)].to_numpy(float), [one for one in members if len(one) >= MIN_SONGS])


def split(data: Playlists, share: float = 0.2, seed: int = 0) -> tuple[list[Playlist], list[Playlist]]:
    """Playlists to fit on, without any song of those kept aside; and those kept aside."""
    order = np.random.default_rng(seed).permutation(len(data.members))
    count = round(share * len(order))
    aside = [data.members[at] for at in order[:count]]
    held = np.zeros(len(data.numbers), dtype=bool)
    held[np.concatenate(aside)] = True
    rest = [data.members[at][~held[data.members[at]]] for at in order[count:]]
    return [one for one in rest if len(one) >= MIN_SONGS], aside


def above_random(points: Floats, playlists: list[Playlist], count: int = 1500, seed: int = 1) -> Floats:
    """For each playlist: the share of (song, song of the same playlist, random song) in which the former is nearer."""
    random = np.random.default_rng(seed)
    others = random.choice(len(points), count, replace=False)
    shares = []
    for playlist in playlists:
        few = random.permutation(playlist)[:60]
        strangers = others[~np.isin(others, playlist)]
        wins = []
        for song in few:
            far = np.sort(((points[strangers] - points[song]) ** 2).sum(1))
            near = ((points[few[few != song]] - points[song]) ** 2).sum(1)
            below = (np.searchsorted(far, near, "left") + np.searchsorted(far, near, "right")) / 2
            wins.append(1 - below.mean() / len(strangers))
        shares.append(np.mean(wins))
    return np.array(shares)


def fit(numbers: Floats, playlists: list[Playlist], steps: int, seed: int = 1) -> Embedding:
    """Each song shall be nearer to those of its playlist than to others: logistic loss on squared distances."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    used = np.unique(np.concatenate(playlists))
    scales = Scales.fit(numbers[used])
    inputs = scales.inputs(numbers)
    net = _model(tf, inputs.shape[1])
    optimiser = tf.keras.optimizers.AdamW(tf.keras.optimizers.schedules.CosineDecay(2e-3, steps), weight_decay=1e-2)
    label = np.repeat(np.arange(PLAYLISTS_EACH), SONGS_EACH)
    rows = np.arange(len(label))
    same = tf.constant([rows[(label == label[row]) & (rows != row)] for row in rows])
    other = tf.constant([rows[label != label[row]] for row in rows])

    @tf.function  # type: ignore[untyped-decorator]
    def step(batch: Any) -> None:
        with tf.GradientTape() as tape:
            points = net(batch, training=True)
            norms = tf.reduce_sum(points * points, 1)
            squares = tf.maximum(norms[:, None] + norms[None] - 2 * tf.matmul(points, points, transpose_b=True), 1e-6)
            near, far = tf.gather(squares, same, batch_dims=1), tf.gather(squares, other, batch_dims=1)
            loss = tf.reduce_mean(tf.nn.softplus(near[:, :, None] - far[:, None, :]))
        weights = net.trainable_variables
        optimiser.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    chances = np.sqrt([len(one) for one in playlists])
    chances /= chances.sum()
    for _ in range(steps):
        drawn = random.choice(len(playlists), PLAYLISTS_EACH, replace=False, p=chances)
        songs = [random.choice(playlists[at], SONGS_EACH, replace=len(playlists[at]) < SONGS_EACH) for at in drawn]
        step(tf.constant(inputs[np.concatenate(songs)]))
    return _frozen(net, scales, numbers[used], random)


def _model(tf: Any, width: int) -> Any:
    layers = tf.keras.layers
    whole = tf.keras.Sequential([tf.keras.Input((width,))])
    for _ in range(2):
        whole.add(layers.Dense(WIDTH, activation=lambda x: tf.keras.activations.gelu(x, approximate=True)))
        whole.add(layers.Dropout(0.2))
    whole.add(layers.Dense(DIMENSIONS))
    return whole


def _frozen(net: Any, scales: Scales, numbers: Floats, random: np.random.Generator) -> Embedding:
    """The weights, turned so that the widest axis comes first; distances stay as they are."""
    values: list[Singles] = [weights.astype(np.float32) for weights in net.get_weights()]
    layers = list(zip(values[::2], values[1::2], strict=True))
    points = Embedding(scales, tuple(layers), 1.0).points(numbers)
    _, axes = np.linalg.eigh(np.cov(points.T))
    turn = axes[:, ::-1].astype(np.float32)
    layers[-1] = (layers[-1][0] @ turn, (layers[-1][1] - points.mean(0).astype(np.float32)) @ turn)
    pairs = random.integers(0, len(points), (2, 20_000))
    typical = float(np.median(((points[pairs[0]] - points[pairs[1]]) ** 2).sum(1)))
    return Embedding(scales, tuple(layers), typical)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--playlists", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=SIMILARITY)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--skip-evaluation", action="store_true")
    given = parser.parse_args()
    data = read(given.playlists)
    if not given.skip_evaluation:
        report(data, given.steps)
    fit(data.numbers, data.members, given.steps).save(given.out)


def report(data: Playlists, steps: int) -> None:
    """Prints the share for the playlists kept aside, with 95 % intervals over playlists."""
    rest, aside = split(data)
    known = data.numbers[np.unique(np.concatenate(rest))]
    plane = data.numbers[:, [INPUTS.index("valence"), INPUTS.index("energy")]]
    standard = ((data.numbers - known.mean(0)) / known.std(0))[:, :11]
    learned = fit(data.numbers, rest, steps).points(data.numbers)
    print(f"{len(rest)} playlists to fit on, {len(aside)} kept aside")
    methods = {
        "article (valence/energy cosine)": plane / np.linalg.norm(plane, axis=1, keepdims=True).clip(1e-9),
        "standardised 11 features": standard,
        "discriminant analysis, 8 axes": discriminant(standard, rest),
        "learned": learned,
    }
    for name, points in methods.items():
        shares = above_random(points, aside)
        low, high = bootstrap(shares)
        print(f"{name:<34} {shares.mean():.3f}  [{low:.3f}, {high:.3f}]", flush=True)


def discriminant(standard: Floats, playlists: list[Playlist]) -> Floats:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    labels = np.concatenate([np.full(len(one), at) for at, one in enumerate(playlists)])
    fitted = LinearDiscriminantAnalysis().fit(standard[np.concatenate(playlists)], labels)
    return np.asarray(fitted.transform(standard)[:, :8])


if __name__ == "__main__":
    main()
