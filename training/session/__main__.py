"""Ways to say what comes next, compared, and the one that ships: ``python -m training.session --playlists FILE...``.

A fifth of the playlists of each table is kept aside; all ways are fitted on the rest: less all songs of those kept
aside (cold: no way has met a song that follows), with them (warm), or on the other tables alone, less these songs
(outside). A cold one is asked once more for songs alone whose artist it has not met either, nor heard in the session
(strangers). Prints a table; ``--out`` fits what ships on all playlists and writes it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.recommender.choice.history import SONG_S
from services.recommender.models.session import SESSION, Happened, SessionRanking, kept_of
from services.recommender.models.vectors import Embedding, Floats, Positions
from training.data import in_one_line
from training.session import by_id, encoders
from training.session.measures import HISTORIES, Scores, by_source, evaluate, interval, mean
from training.session.playlists import Playlists, read, split
from training.songs import similarity

Way = Callable[[Playlists, int], Scores]
"""Fitted on playlists, from a seed."""
SHIPS = "attention"
SPLITS = ("cold", "warm", "outside")
"""What the ways are fitted on; see above."""


def last_song(data: Playlists, seed: int) -> Scores:
    """The model of similarity, which ranks after one pick, asked about the last song alone."""
    points = _similarity(data, seed).points(data.numbers)
    return lambda heard: -((points - points[heard[-1]]) ** 2).sum(axis=1)


def mean_place(data: Playlists, seed: int) -> Scores:
    """The same about the middle of all songs."""
    points = _similarity(data, seed).points(data.numbers)
    return lambda heard: -((points - points[heard].mean(axis=0)) ** 2).sum(axis=1)


def encoded(name: str, data: Playlists, seed: int) -> Scores:
    return encoders.scores_of(_encoder(name, data, seed))


def by_sound(data: Playlists, seed: int) -> Scores:
    """Attention that knows nothing of titles and artists."""
    return encoders.scores_of(encoders.fit(SHIPS, data, seed=seed, named=False))


# several ways ask for the same fit, one after the other
@lru_cache(maxsize=1)
def _similarity(data: Playlists, seed: int) -> Embedding:
    return similarity.fit(data.numbers, list(data.members), similarity.STEPS, seed)


@lru_cache(maxsize=1)
def _encoder(name: str, data: Playlists, seed: int) -> encoders.Encoder:
    return encoders.fit(name, data, seed=seed)


def as_it_ships(data: Playlists, seed: int, skips: int = 0) -> Scores:
    """Attention and similarity together, as the recommender computes them.

    ``skips`` are simulated: so many songs, drawn from all, are taken to have been skipped after those heard.
    """
    embedding, model = _similarity(data, seed), encoders.frozen(_encoder(SHIPS, data, seed))
    vectors = model.vectors(data.numbers, data.titles, data.artists)
    ranking = SessionRanking(model, kept_of(vectors, embedding.points(data.numbers)), embedding.typical)

    def scores(heard: Positions) -> Floats:
        ages = SONG_S * np.arange(len(heard) - 1, -1, -1)
        happened = [Happened(at, age_s=age) for at, age in zip(heard.tolist(), ages.tolist(), strict=True)]
        drawn = np.random.default_rng([seed, *heard]).choice(len(data.numbers), skips, replace=False)
        return ranking.scores([*happened, *(Happened(at, "skipped") for at in drawn.tolist())])

    return scores


WAYS: Mapping[str, Way] = {
    "last": last_song,
    "middle": mean_place,
    "ships": as_it_ships,
    "skips": partial(as_it_ships, skips=3),
    **{name: partial(encoded, name) for name in encoders.POOLS},
    "sound": by_sound,
    "popularity": by_id.popularity,
    "neighbours": by_id.neighbours,
    "rbm": by_id.rbm,
    "ncf": by_id.ncf,
}


def compare(ways: Sequence[str], data: Playlists, seed: int, kinds: Sequence[str]) -> None:
    """Prints a row for each way, kind of split and table."""
    _, aside = split(data)
    print(
        f"{len(aside.members)} playlists kept aside; AUC after {', '.join(map(str, HISTORIES))} songs, the rest after 5"
    )
    print("way          split     table                       playlists ", end="")
    print("".join(f"AUC {one:<18}" for one in HISTORIES), end="")
    print("recall@100 recall@500 nDCG@100 MRR   first of five")
    for kind in kinds:
        for fitted, parts in _splits(data, aside, kind):
            for name in ways:
                scores = WAYS[name](fitted, seed)
                for source, part in parts:
                    _row(name, kind, source, part, scores)
                if kind == "cold":
                    _row(name, "strangers", "all", aside, scores, aside.strangers(fitted))


def _splits(data: Playlists, aside: Playlists, kind: str) -> Iterator[tuple[Playlists, list[tuple[str, Playlists]]]]:
    """What is fitted on, and the parts that are told of it."""
    tables = list(by_source(aside))
    if kind != "outside":
        yield split(data, cold=kind == "cold")[0], [*tables, ("all", aside)]
    elif len(tables) > 1:
        for source, part in tables:
            yield data.chosen(data.sources != source).without(part.works()), [(source, part)]


def _row(
    name: str,
    kind: str,
    source: str,
    part: Playlists,
    scores: Scores,
    counted: npt.NDArray[np.bool_] | None = None,
) -> None:
    rows = [evaluate(scores, part, heard, counted=counted) for heard in HISTORIES]
    if not all(map(len, rows)):
        return  # no such songs
    said = "".join(f"{mean(one).auc:.3f} [{interval(one)[0]:.3f}, {interval(one)[1]:.3f}] " for one in rows)
    last = mean(rows[-1])
    print(
        f"{name:<12} {kind:<9} {source:<27} {len(part.members):>9} {said}"
        f"{last.recall_100:<10.3f} {last.recall_500:<10.3f} {last.ndcg_100:<8.3f} {last.mrr:.3f} "
        f"{last.first_of_five:.3f}",
        flush=True,
    )


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.session", description=__doc__)
    parser.add_argument("--playlists", type=Path, nargs="+", required=True, help="tables of playlists (CSV)")
    parser.add_argument(
        "--features", type=Path, nargs="*", default=[], help="tables with songs' features, where those lack them"
    )
    parser.add_argument("--way", choices=WAYS, action="append", default=[], help="compare these alone; repeatable")
    parser.add_argument("--split", choices=SPLITS, action="append", default=[], help="these alone; repeatable")
    parser.add_argument("--skip-evaluation", action="store_true")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"write {SHIPS}, fitted on all, e.g. {SESSION.name}")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    data = read(given.playlists, given.features)
    if not given.skip_evaluation:
        compare(given.way or list(WAYS), data, given.seed, given.split or SPLITS)
    if given.out:
        encoders.frozen(encoders.fit(SHIPS, data, seed=given.seed)).save(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
