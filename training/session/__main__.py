"""Ways to say what comes next, compared, and the one that ships: ``python -m training.session --playlists FILE...``.

A fifth of the playlists of each table is kept aside; all ways are fitted on the rest: less all songs of those kept
aside (cold: no way has met a song that follows), with them (warm), or on the other tables alone, less these songs
(outside). Prints a table; ``--out`` fits what ships on all playlists and writes it.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from services.recommender.choice.history import SONG_S
from services.recommender.models.session import SESSION, Happened, SessionRanking, kept_of
from services.recommender.models.vectors import Floats, Positions
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
    points = _points(data, seed)
    return lambda heard: -((points - points[heard[-1]]) ** 2).sum(axis=1)


def mean_place(data: Playlists, seed: int) -> Scores:
    """The same about the middle of all songs."""
    points = _points(data, seed)
    return lambda heard: -((points - points[heard].mean(axis=0)) ** 2).sum(axis=1)


@lru_cache(maxsize=1)
def _points(data: Playlists, seed: int) -> Floats:
    return similarity.fit(data.numbers, list(data.members), similarity.STEPS, seed).points(data.numbers)


def encoded(name: str, data: Playlists, seed: int) -> Scores:
    return encoders.scores_of(encoders.fit(name, data, seed=seed))


def as_it_ships(data: Playlists, seed: int, skips: int = 0) -> Scores:
    """Attention and similarity together, as the recommender computes them.

    ``skips`` are simulated: so many songs, drawn from all, are taken to have been skipped after those heard.
    """
    embedding = similarity.fit(data.numbers, list(data.members), similarity.STEPS, seed)
    model = encoders.frozen(encoders.fit(SHIPS, data, seed=seed))
    kept = kept_of(model.vectors(data.numbers), embedding.points(data.numbers))
    ranking = SessionRanking(model, kept, embedding.typical)

    def scores(heard: Positions) -> Floats:
        ages = SONG_S * np.arange(len(heard) - 1, -1, -1)
        happened = [Happened(at, age_s=age) for at, age in zip(heard.tolist(), ages.tolist(), strict=True)]
        drawn = np.random.default_rng([seed, *heard]).choice(len(data.numbers), skips, replace=False)
        return ranking.scores([*happened, *(Happened(at, "skipped") for at in drawn.tolist())])

    return scores


WAYS: Mapping[str, Way] = {
    "ships": as_it_ships,
    "skips": partial(as_it_ships, skips=3),
    "last": last_song,
    "middle": mean_place,
    **{name: partial(encoded, name) for name in encoders.POOLS},
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
    print(
        "way          split   table                       playlists " + "".join(f"AUC {one:<18}" for one in HISTORIES),
        end="",
    )
    print("recall@100 recall@500 nDCG@100 MRR   first of five")
    for kind in kinds:
        for name in ways:
            if kind == "outside":
                for source, part in by_source(aside) if len(data.tables) > 1 else ():
                    others = data.chosen(data.sources != source).without(part.works())
                    _row(name, kind, source, part, WAYS[name](others, seed))
                continue
            scores = WAYS[name](split(data, cold=kind == "cold")[0], seed)
            for source, part in [*by_source(aside), ("all", aside)]:
                _row(name, kind, source, part, scores)


def _row(name: str, kind: str, source: str, part: Playlists, scores: Scores) -> None:
    rows = [evaluate(scores, part, heard) for heard in HISTORIES]
    said = "".join(f"{mean(one).auc:.3f} [{interval(one)[0]:.3f}, {interval(one)[1]:.3f}] " for one in rows)
    last = mean(rows[-1])
    print(
        f"{name:<12} {kind:<7} {source:<27} {len(part.members):>9} {said}"
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
