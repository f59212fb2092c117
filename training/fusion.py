"""How far each source is to be believed beside the others: ``python -m training.fusion --faces FILE --texts FOLDER``.

No free set has one person's face, voice and words at once, so cases are paired: a face of PublicTest, a text of
GoEmotions' dev part and, with ``--voices``, an utterance, all with the same label and drawn at random. That is
optimistic: what makes one person hard to read in the face does not make the drawn voice hard, too. Half of the cases
fits the exponents, the other half judges them. A voice's probabilities must come from models that met neither its
speaker nor its corpus.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.metrics import f1_score

from moodstream.contracts.moods import MOODS
from services.emotion.faces.classifier import Classifier
from services.emotion.visits.fusion import LEAST, RELIABILITY
from shared.words.reader import WordsReader
from training.data import PUBLIC_TEST, DataError, in_one_line, load
from training.evaluate import read as read_faces
from training.measures import likelihood_loss
from training.words import corpora

ROUNDS = 2000
"""Of drawing again, for intervals."""

Shares = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Readings = tuple[Shares, Labels]
"""Probabilities [N, 4] of one source, and the labels [N]."""


def faces_of(path: Path) -> Readings:
    """Raises DataError."""
    faces = load(path).moods()[PUBLIC_TEST]
    return np.asarray(read_faces(Classifier(), faces), np.float64), faces.labels


def words_of(folder: Path) -> Readings:
    """Raises DataError."""
    texts, reader = corpora.read(folder / "goemotions_dev.csv.gz", corpora.GOEMOTIONS), WordsReader.load()
    read = [reader.read(str(text)).probabilities for text in texts.texts]
    known = np.array([shares is not None for shares in read])
    return np.array([[*shares.values()] for shares in read if shares is not None]), texts.labels[known]


def voices_of(path: Path) -> Readings:
    """Arrays ``probabilities`` [N, 4] and ``labels`` [N] of an .npz file. Raises DataError."""
    try:
        with np.load(path) as file:
            return np.asarray(file["probabilities"], np.float64), np.asarray(file["labels"], np.int64)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from None


def paired(sources: Sequence[Readings], seed: int) -> tuple[list[Shares], Labels]:
    """For each reading of the first source one of each other source with the same label."""
    rng, (first, labels) = np.random.default_rng(seed), sources[0]
    drawn = [first]
    for shares, own in sources[1:]:
        places = np.zeros(len(labels), np.int64)
        for label in np.unique(labels):
            places[labels == label] = rng.choice(np.flatnonzero(own == label), (labels == label).sum())
        drawn.append(shares[places])
    return drawn, labels


def pool(kinds: Sequence[str], shares: Sequence[Shares], weights: Sequence[float]) -> Shares:
    """``services.emotion.visits.fusion.pooled`` for many cases at once."""
    logs = np.sum(
        [weight * np.log(one.clip(LEAST[kind])) for kind, one, weight in zip(kinds, shares, weights, strict=True)],
        axis=0,
    )
    likely = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def fit_weights(kinds: Sequence[str], shares: Sequence[Shares], labels: Labels) -> list[float]:
    """Exponents with the least negative log-likelihood, that of the face being 1."""

    def loss(values: Shares) -> float:
        return likelihood_loss(pool(kinds, shares, [1.0, *np.exp(values)]), labels)

    found = minimize(loss, np.zeros(len(kinds) - 1), method="Nelder-Mead")
    return [1.0, *np.exp(found.x).tolist()]


def report(kinds: Sequence[str], shares: Sequence[Shares], labels: Labels, weights: Sequence[float]) -> None:
    """Prints a row for each source alone, for each pool with the face, and for all together."""
    alone = {kind: [place] for place, kind in enumerate(kinds)}
    beside = {f"face and {kind}": [0, place] for place, kind in enumerate(kinds) if place}
    face = shares[0].argmax(axis=1) == labels
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(labels), (ROUNDS, len(labels)))
    print("what is read              accuracy  macro F1  loss   more right than the face alone (95 %)")
    for name, places in (alone | beside | {"all": list(range(len(kinds)))}).items():
        told = pool([kinds[at] for at in places], [shares[at] for at in places], [weights[at] for at in places])
        told = shares[places[0]] if len(places) == 1 else told
        hits = told.argmax(axis=1) == labels
        score = f1_score(labels, told.argmax(axis=1), average="macro", labels=range(len(MOODS)))
        gain = hits.astype(float) - face
        low, high = np.quantile(gain[draws].mean(axis=1), [0.025, 0.975])
        print(
            f"{name:<25} {hits.mean():<9.3f} {score:<9.3f} {likelihood_loss(told, labels):<6.3f} "
            f"{gain.mean():+.3f} ({low:+.3f} to {high:+.3f})"
        )


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.fusion", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, metavar="FER2013", help=".csv, .npz or folder")
    parser.add_argument("--texts", type=Path, required=True, metavar="FOLDER", help="that of training.words")
    parser.add_argument("--voices", type=Path, metavar="FILE.npz", help="arrays probabilities [N, 4], labels [N]")
    parser.add_argument("--seed", type=int, default=1, help="of the pairs (default: 1)")
    given = parser.parse_args(arguments)
    sources = {"face": faces_of(given.faces), "words": words_of(given.texts)}
    if given.voices:
        sources["voice"] = voices_of(given.voices)
    kinds = list(sources)
    shares, labels = paired(list(sources.values()), given.seed)
    fits = np.random.default_rng(given.seed).random(len(labels)) < 0.5
    weights = fit_weights(kinds, [one[fits] for one in shares], labels[fits])
    named = [f"{kind} {weight:.2f} (ships: {RELIABILITY[kind]})" for kind, weight in zip(kinds, weights, strict=True)]
    print(f"fitted on {fits.sum()} cases: {', '.join(named)}; on the other {(~fits).sum()}, as it ships:")
    report(kinds, [one[~fits] for one in shares], labels[~fits], [RELIABILITY[kind] for kind in kinds])
    return 0


if __name__ == "__main__":
    sys.exit(main())
