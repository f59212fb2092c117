"""Fits the three questions of the listeners' model, some coefficients of which may not be negative."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from moodstream.contracts.moods import MOODS, Mood
from services.recommender.models.listeners import (
    LIVELY,
    ORDERED,
    PLEASANT_IF_LIVELY,
    PLEASANT_IF_QUIET,
    QUESTIONS,
    ListenersModel,
    inputs,
    title_words,
)
from services.recommender.models.vectors import Floats, Scales
from training.songs.labels import GENRES, ArtistSounds, Labels
from training.songs.sanity import limits_of

HAPPY, CALM, ANGRY = (MOODS.index(mood) for mood in (Mood.HAPPY, Mood.CALM, Mood.ANGRY))

RISING = {LIVELY: ("energy", "loudness"), PLEASANT_IF_LIVELY: ("valence",), PLEASANT_IF_QUIET: ("valence",)}
"""Features with which the answer may only rise."""

UNUSED = {LIVELY: ("valence",)}
"""So that a song that gets more pleasant does not get livelier by it, and its valence cannot fall."""


@dataclass(frozen=True)
class Recipe:
    """Everything that was chosen, on the songs that are not kept aside."""

    penalty: float = 20.0
    artist_penalty: float = 1.0
    """relative to the first, for artists' sound"""
    word_penalty: float = 11.0
    min_word_songs: int = 5
    balance: float = 0.7
    """0: moods count by their songs; 1: all alike"""


def fit(labels: Labels, scales: Scales, sounds: ArtistSounds, recipe: Recipe) -> ListenersModel:
    """The model of these labels, without limits: fitted with them, the regression would undo them, since listeners call
    two in five of their calm songs so that have more energy."""
    found = Counter(word for title in labels.titles for word in title_words(title))
    words = sorted(word for word, count in found.items() if count >= recipe.min_word_songs)
    base = inputs(scales, labels.numbers, labels.genres.tolist(), GENRES)
    values = np.hstack([base, sounds.without_themselves(labels), _bags(labels, words)])
    penalties = recipe.penalty * np.repeat(
        [1.0, recipe.artist_penalty, recipe.word_penalty], [base.shape[1], sounds.width, len(words)]
    )
    weights, biases = _answers(labels, values, penalties, _shares(labels, recipe.balance))
    first, second = base.shape[1], base.shape[1] + sounds.width
    artists = {name: sound @ weights[first:second] for name, sound in sounds.all().items()}
    named = dict(zip(words, weights[second:], strict=True))
    return ListenersModel(scales, GENRES, weights[:first], biases, limits_of(0), artists, named)


def _answers(labels: Labels, values: Floats, penalties: Floats, shares: Floats) -> tuple[Floats, Floats]:
    lively = np.isin(labels.codes, (ANGRY, HAPPY))
    pleasant = np.isin(labels.codes, (HAPPY, CALM)).astype(float)
    asked = {LIVELY: np.ones(len(labels), bool), PLEASANT_IF_LIVELY: lively, PLEASANT_IF_QUIET: ~lively}
    weights, biases = np.zeros((values.shape[1], len(QUESTIONS))), np.zeros(len(QUESTIONS))
    for question, rows in asked.items():
        truth = lively.astype(float) if question == LIVELY else pleasant
        bounds: list[Any] = [(None, None)] * (values.shape[1] + 1)
        for name in RISING[question]:
            bounds[ORDERED.index(name)] = (0, None)
        for name in UNUSED.get(question, ()):
            bounds[ORDERED.index(name)] = (0, 0)
        weights[:, question], biases[question] = regression(values[rows], truth[rows], shares[rows], penalties, bounds)
    return weights, biases


def regression(
    values: Floats, truth: Floats, shares: Floats, penalties: Floats, bounds: list[Any]
) -> tuple[Floats, float]:
    """Logistic regression with a penalty for each coefficient, and bounds."""
    centre = values.mean(axis=0)
    centred = values - centre

    def loss(both: Floats) -> tuple[float, Floats]:
        scores = centred @ both[:-1] + both[-1]
        wrong = shares * (1 / (1 + np.exp(-scores)) - truth)
        likelihood = (shares * (np.logaddexp(0, scores) - truth * scores)).sum()
        slope = np.append(centred.T @ wrong + penalties * both[:-1], wrong.sum())
        return float(likelihood + (penalties * both[:-1] ** 2).sum() / 2), slope

    start = np.zeros(values.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    return found.x[:-1], float(found.x[-1] - centre @ found.x[:-1])


def _shares(labels: Labels, balance: float) -> Floats:
    counts = np.bincount(labels.codes, minlength=len(MOODS))
    shares = (1 / counts.clip(1)[labels.codes]) ** balance
    return np.asarray(shares * len(labels) / shares.sum())


def _bags(labels: Labels, words: list[str]) -> Floats:
    columns = {word: at for at, word in enumerate(words)}
    bags = np.zeros((len(labels), len(words)))
    for row, title in enumerate(labels.titles):
        for word in title_words(title) & columns.keys():
            bags[row, columns[word]] = 1
    return bags
