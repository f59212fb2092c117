"""The model that reads the mood of words: ``python -m training.words --data FOLDER``.

The folder holds GoEmotions (``goemotions_train.csv.gz``, ``goemotions_dev.csv.gz``), XED (``xed.csv.gz``) and EmoBank
(``emobank.csv.gz``). Fits on all but GoEmotions' dev part and a fifth of XED, prints how well these are read, and with
``--out`` writes what was measured.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import pearsonr
from sklearn.metrics import f1_score

from moodstream.contracts.moods import MOODS, Mood
from shared.words.features import normalised
from shared.words.reader import ENGLISH, WORDS, Table, WordsReader
from training.data import in_one_line
from training.words import corpora, said
from training.words.corpora import Texts
from training.words.fitting import PRIOR, fit_table

NAME = "words 1.0.0"
ENGLISH_BITS, OTHERS_BITS, LANGUAGE_BITS = 20, 19, 16
ASIDE = 0.2
"""Share of XED that is kept aside."""
OWN_IN_ENGLISH, OWN_IN_OTHERS = 1.0, 1.0
"""What a sentence of our own counts beside one of a corpus."""
OFTEN = 20
ROUNDS = 1000
"""Of drawing again, for intervals."""
CALM = MOODS.index(Mood.CALM)
FEELINGS = [at for at in range(len(MOODS)) if at != CALM]

Strings = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Spoken = tuple[Strings, npt.NDArray[np.str_]]
"""Texts and their languages."""


def fit(comments: Texts, subtitles: Texts, spoken: Spoken) -> WordsReader:
    """English from comments, other languages from subtitles, both also from sentences and signs of our own."""
    foreign = subtitles.chosen((subtitles.languages != ENGLISH) & (subtitles.labels != CALM))
    languages = sorted(said.phrases())
    others = [language for language in languages if language != ENGLISH]
    texts, labels = _with_own(spoken, languages)
    even = (len(labels) / len(languages) / np.bincount(labels))[labels]
    return WordsReader(
        NAME,
        tuple(languages),
        _fit_moods(comments, [ENGLISH], ENGLISH_BITS, OWN_IN_ENGLISH, PRIOR),
        _fit_moods(foreign, others, OTHERS_BITS, OWN_IN_OTHERS, 1.0),
        fit_table(texts, labels, even, len(languages), LANGUAGE_BITS, prior=0.0, calibrated=False),
        alphabet_of(texts),
    )


def _fit_moods(given: Texts, languages: Sequence[str], bits: int, own_weight: float, prior: float) -> Table:
    own = [*(one for language in languages for one in said.sentences(language)), *said.signs()]
    texts = [*given.texts, *(text for text, _ in own)]
    labels = np.concatenate([given.labels, [MOODS.index(mood) for _, mood in own]])
    weights = np.concatenate([np.ones(len(given)), np.full(len(own), own_weight)])
    return fit_table(texts, labels, weights, len(MOODS), bits, prior)


def _with_own(spoken: Spoken, languages: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Subtitles and our own sentences, and the place of the language of each in ``languages``."""
    texts, named = list(spoken[0]), list(spoken[1])
    for language in languages:
        own = [text for text, _ in said.sentences(language)]
        texts, named = texts + own, named + [language] * len(own)
    known = [at for at, language in enumerate(named) if language in languages]
    return [texts[at] for at in known], np.array([languages.index(named[at]) for at in known])


def alphabet_of(texts: Sequence[str]) -> frozenset[str]:
    """Letters that are met often enough to be no slip."""
    met = Counter(letter for text in texts for letter in normalised(text) if letter.isalpha())
    return frozenset(letter for letter, times in met.items() if times >= OFTEN)


def report(reader: WordsReader, aside: Texts, subtitles_aside: Texts, emobank: tuple[Strings, Floats]) -> None:
    """Prints how well a reader reads texts that it was not fitted on."""
    print("part        texts  macro F1 (95 %)           right language")
    _row(reader, "GoEmotions", aside, list(range(len(MOODS))))
    for language in reader.languages:
        _row(reader, f"XED {language}", subtitles_aside.chosen(subtitles_aside.languages == language), FEELINGS)
    readings = [reader.read(str(text)).valence for text in emobank[0]]
    known = np.array([one is not None for one in readings])
    valence = np.array([one for one in readings if one is not None])
    print(f"EmoBank: valence of {known.sum()} sentences, correlation {pearsonr(valence, emobank[1][known])[0]:.3f}")


def _row(reader: WordsReader, name: str, given: Texts, moods: Sequence[int]) -> None:
    """Only texts of ``moods`` are read: no subtitle of most languages is called neutral."""
    given = given.chosen(np.isin(given.labels, moods))
    read = [reader.read(str(text)) for text in given.texts]
    shares = np.array([[*one.probabilities.values()] if one.probabilities else [0.25] * 4 for one in read])
    found = np.array(moods)[shares[:, moods].argmax(axis=1)]

    def f1(rows: npt.NDArray[np.int64]) -> float:
        return float(f1_score(given.labels[rows], found[rows], average="macro", labels=list(moods), zero_division=0))

    rng = np.random.default_rng(0)
    drawn = [f1(rng.integers(0, len(given), len(given))) for _ in range(ROUNDS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    told = np.mean([one.language == language for one, language in zip(read, given.languages, strict=True)])
    print(
        f"{name:<11} {len(given):>5}  {f1(np.arange(len(given))):.3f} ({low:.3f} to {high:.3f})    {told:.3f}",
        flush=True,
    )


@in_one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="training.words", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"write the model, e.g. {WORDS.name}")
    parser.add_argument("--seed", type=int, default=1, help="of the part that is kept aside (default: 1)")
    given = parser.parse_args(arguments)
    comments = corpora.read(given.data / "goemotions_train.csv.gz", corpora.GOEMOTIONS)
    subtitles = corpora.read(given.data / "xed.csv.gz", corpora.XED)
    spoken = corpora.read_languages(given.data / "xed.csv.gz")
    aside = corpora.read(given.data / "goemotions_dev.csv.gz", corpora.GOEMOTIONS)
    kept = np.random.default_rng(given.seed).random(len(subtitles)) < ASIDE
    names = np.isin(spoken[0], subtitles.texts[kept])
    reader = fit(comments, subtitles.chosen(~kept), (spoken[0][~names], spoken[1][~names]))
    if given.out:
        reader.save(given.out)
    report(reader, aside, subtitles.chosen(kept), corpora.read_valence(given.data / "emobank.csv.gz"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
