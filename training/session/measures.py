"""How good a ranking of what comes next is: the songs that a playlist goes on with, among all others of its table."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt

from services.recommender.models.vectors import Floats, Positions
from training.intervals import bootstrap
from training.session.playlists import Playlists

Scores = Callable[[Positions], Floats]
"""Scores of all songs, [n], after the songs of a session, oldest first; the higher, the sooner they come."""

HISTORIES = (1, 3, 5)
"""Songs that have been heard."""
OFFERED = 5
"""Songs of an offer."""


@dataclass(frozen=True)
class Measures:
    """Of one playlist, or the mean of many; each from 0 to 1."""

    auc: float
    """chance that a song that follows stands above one that does not"""
    recall_100: float
    """share of the songs that follow among the first 100"""
    recall_500: float
    ndcg_100: float
    mrr: float
    """one over the place of the first that follows"""
    first_of_five: float
    """chance that it stands before four others, drawn at random"""


def measure(scores: Floats, follows: Positions, others: Positions) -> Measures:
    """From the scores [n] of all songs, and which of them follow or do not. Equal scores count as half before."""
    wanted, rest = scores[follows], np.sort(scores[others])
    below = (np.searchsorted(rest, wanted, "left") + np.searchsorted(rest, wanted, "right")) / 2
    shares = below / len(rest)
    ahead = np.sort(len(rest) - below) + np.arange(len(wanted))  # songs that stand before each that follows
    gains = 1 / np.log2(np.arange(min(100, len(wanted))) + 2)
    return Measures(
        auc=float(shares.mean()),
        recall_100=float((ahead < 100).mean()),
        recall_500=float((ahead < 500).mean()),
        ndcg_100=float((1 / np.log2(ahead[ahead < 100] + 2)).sum() / gains.sum()),
        mrr=float(1 / (ahead[0] + 1)),
        first_of_five=float((shares ** (OFFERED - 1)).mean()),
    )


def evaluate(
    scores: Scores,
    data: Playlists,
    heard: int,
    draws: int = 2,
    seed: int = 5,
    counted: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """Measures [playlists, 6] after ``heard`` songs; each playlist is begun ``draws`` times, with songs of its own.

    Where some songs are ``counted`` [n], only these are looked for, and none by an artist that was heard.
    """
    random = np.random.default_rng(seed)
    rows = []
    for members, source in zip(data.members, data.sources, strict=True):
        if len(members) <= heard:
            continue
        others = np.setdiff1d(data.tables[source], members)
        found = []
        for _ in range(draws):
            begun = np.sort(random.choice(len(members), heard, replace=False))
            follows = np.delete(members, begun)
            if counted is not None:
                follows = follows[counted[follows] & ~np.isin(data.artist[follows], data.artist[members[begun]])]
            if len(follows):
                found.append(astuple(measure(scores(members[begun]), follows, others)))
        if found:
            rows.append(np.mean(found, axis=0))
    return np.array(rows).reshape(-1, len(fields(Measures)))


def mean(rows: Floats) -> Measures:
    return Measures(*np.mean(rows, axis=0).tolist())


def interval(rows: Floats, name: str = "auc") -> tuple[float, float]:
    """The 95 % interval of one measure, by drawing playlists again."""
    return bootstrap(rows[:, [one.name for one in fields(Measures)].index(name)])


def by_source(data: Playlists) -> Sequence[tuple[str, Playlists]]:
    return [(name, data.chosen(data.sources == name)) for name in np.unique(data.sources)]
