"""What comes next after the songs of a session: a direction among songs, and how far along it each of them lies.

Fitted on playlists (``training/session/``); its card is ``models/session.md``. A song's vector comes from its features,
its title and its artist, so a song that nobody has heard yet counts like any other. A score is a sum with a part for
each event of the session, so what each of them did to a song can be told exactly.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from moodstream.errors import MoodstreamError
from services.recommender.models.artists import OtherSongs
from services.recommender.models.names import Letters, Names
from services.recommender.models.vectors import BATCH, MODELS, Floats, Positions, Scales, Singles, gelu

SESSION = MODELS / "session.npz"

Kind = Literal["picked", "liked", "heard", "skipped", "wrong_mood"]
"""What happened to a song: chosen, praised, heard to its end, skipped, or said to lack the mood it was offered for."""
WEIGHTS: dict[Kind, float] = {"picked": 1.0, "liked": 2.0, "heard": 1.0, "skipped": 1.0, "wrong_mood": 0.5}
"""How much each counts beside the others. Chosen, not fitted: playlists tell none of it."""
AGAINST: frozenset[Kind] = frozenset({"skipped", "wrong_mood"})
AVERSION = 0.15
"""What all that speaks against songs counts beside all that speaks for them. Chosen, too."""
NEARNESS = 3.0
"""What a typical squared distance takes off a score; chosen on playlists that neither model was fitted on."""
TIE_DIGITS = 5
TIE = 10.0**-TIE_DIGITS
"""Scores as near as this are the same: single precision tells them no further apart."""
HOUR_S = 3600.0
"""An event of this age counts half, one of a day a twenty-fifth: what is liked now counts most, and nothing is lost."""


@dataclass(frozen=True, eq=False)
class Happened:
    """Something that happened to a song of the catalogue."""

    position: int
    kind: Kind = "picked"
    age_s: float = 0.0
    times: float = 1.0
    """as how many it counts"""


@dataclass(frozen=True, eq=False)
class SessionModel:
    """A tower of layers, from what is known of a song to its vector, and how the vectors of a session are weighed."""

    version: str
    scales: Scales
    names: Names
    layers: tuple[tuple[Singles, Singles], ...]
    query: Floats
    """[d, d]"""
    key: Floats
    """[d, d]"""
    prior: Floats
    """[d] of how songs are liked by themselves"""

    @classmethod
    def load(cls, path: Path = SESSION) -> "SessionModel":
        """Raises MoodstreamError when the file is missing or is no such model."""
        try:
            with np.load(io.BytesIO(path.read_bytes())) as file:
                scales = Scales(*(file[name] for name in Scales.__dataclass_fields__))
                names = Names(Letters.of(file, "titles"), Letters.of(file, "artists"))
                layers = tuple((file[f"weights{at}"], file[f"biases{at}"]) for at in range(int(file["layers"])))
                rest = (file["query"], file["key"], file["prior"])
                model = cls(str(file["version"]), scales, names, layers, *(one.astype(np.float64) for one in rest))
                model.vectors(np.zeros((1, len(scales.mean))), [""], [""])  # shapes that do not fit are found here
                if model.prior.shape != model.layers[-1][1].shape or model.query.shape != model.key.shape != ():
                    raise ValueError("shapes that do not fit")
                return model
        except (OSError, KeyError, ValueError, IndexError, TypeError, BadZipFile) as error:
            raise MoodstreamError(f"cannot use the model of sessions {path}: {error}") from None

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {name: getattr(self.scales, name) for name in Scales.__dataclass_fields__}
        arrays |= self.names.titles.arrays("titles") | self.names.artists.arrays("artists")
        for at, (weights, biases) in enumerate(self.layers):
            arrays |= {f"weights{at}": weights, f"biases{at}": biases}
        for one in fields(self):
            if one.name not in ("scales", "names", "layers"):
                arrays[one.name] = getattr(self, one.name)
        for name in ("query", "key", "prior"):
            arrays[name] = arrays[name].astype(np.float32)
        np.savez_compressed(path, allow_pickle=False, layers=len(self.layers), **arrays)

    def vectors(self, numbers: Floats, titles: Sequence[str], artists: Sequence[str]) -> Singles:
        """float32 [n, d] for all songs of a catalogue: their numbers [n, 12] in the order of ``vectors.INPUTS``, titles
        and artists, of which empty ones tell nothing.

        What an artist's other songs in the catalogue sound like is part of a song's vector.
        """
        parts = [slice(at, at + BATCH) for at in range(0, len(numbers), BATCH)]
        sound = np.concatenate([self.scales.inputs(numbers[rows]) for rows in parts])
        others = OtherSongs(sound, artists)
        vectors = [
            self._part(np.hstack([sound[rows], others.of(rows), *self.names.inputs(titles[rows], artists[rows])]))
            for rows in parts
        ]
        return np.concatenate(vectors)

    def _part(self, inputs: Singles) -> Singles:
        values: Floats = inputs.astype(np.float64)
        for weights, biases in self.layers[:-1]:
            values = gelu(values @ weights + biases)
        weights, biases = self.layers[-1]
        return np.round(values @ weights + biases, 6).astype(np.float32)

    def weights(self, vectors: Singles, happened: Sequence[Happened], *, attend: bool = True) -> Floats:
        """[k] how much each event counts, from its vector [k, d]: those for songs sum to 1, those against to less.

        With ``attend`` an event counts by how it fits the others, too.
        """
        share = np.array([one.times * WEIGHTS[one.kind] / (1 + max(0.0, one.age_s) / HOUR_S) for one in happened])
        against = np.array([one.kind in AGAINST for one in happened], dtype=bool)
        weights = np.zeros(len(happened))
        if not against.all():
            liked = share[~against]
            if attend:
                known = vectors[~against].astype(np.float64)
                fit = (known @ self.key) @ (liked / liked.sum() @ known @ self.query) / np.sqrt(len(self.prior))
                liked = liked * np.exp(fit - fit.max())
            weights[~against] = liked / liked.sum()
        if against.any():
            weights[against] = -AVERSION * share[against] / share[against].sum()
        return weights


@dataclass(frozen=True, eq=False)
class Next:
    """Songs in the order in which they come next."""

    positions: Positions
    scores: Floats
    """[k] falling: above the average song of the catalogue"""
    parts: Floats
    """[k, events] what each event added; with ``prior`` they sum to the scores"""
    prior: Floats
    """[k] what songs have by themselves"""

    def rows(self, rows: Positions) -> "Next":
        """Some of the songs, in their order."""
        return Next(self.positions[rows], self.scores[rows], self.parts[rows], self.prior[rows])


class SessionRanking:
    """Ranks the songs of one catalogue after what happened in a session.

    A song scores by how far it lies along the direction of the session, and by how near it is to what happened: squared
    distances of the model of similarity, which errs elsewhere. Both are sums over the events, so they are one product
    of what is kept here of each song with what is added up of the events.
    """

    def __init__(self, model: SessionModel, kept: Singles, typical: float, *, attend: bool = True):
        """``kept`` [n, d + p + 1] of the songs, as ``kept_of`` makes it; ``typical`` is the squared distance of two of
        their points in the model of similarity."""
        self._model, self._attend, self._scale = model, attend, NEARNESS / typical
        self._mean = kept.mean(axis=0) if len(kept) else np.zeros(kept.shape[1], np.float32)
        self._kept = kept - self._mean
        self._prior = self._kept[:, : len(model.prior)] @ model.prior.astype(np.float32)

    def scores(self, happened: Sequence[Happened]) -> Floats:
        """[n] of all songs."""
        of_each, weights = self._of_each(happened)
        return np.asarray(self._kept @ (weights @ of_each) + self._prior)

    def after(self, happened: Sequence[Happened], candidates: Positions, count: int) -> Next:
        """The best ``count`` of the candidates, 0 for all, less those that it happened to. Ties stand by position."""
        every = self.scores(happened)
        every[[one.position for one in happened]] = -np.inf
        scores = every[candidates]
        least = np.partition(scores, -count)[-count] if 0 < count < len(scores) else -np.inf
        near = candidates[np.flatnonzero((scores >= least - 2 * TIE) & np.isfinite(scores))]
        return self._best_of(near, happened, count)

    def _best_of(self, near: Positions, happened: Sequence[Happened], count: int) -> Next:
        """In double precision, so that the order does not depend on which other songs were added up beside them."""
        of_each, weights = self._of_each(happened)
        kept, prior = self._kept[near].astype(np.float64), self._model.prior
        parts = (kept @ of_each.T.astype(np.float64)) * weights
        alone = kept[:, : len(prior)] @ prior
        scores = parts.sum(axis=1) + alone
        rows = np.lexsort((near, -np.round(scores, TIE_DIGITS)))[: count or None]
        return Next(near[rows], scores[rows], parts[rows], alone[rows])

    def _of_each(self, happened: Sequence[Happened]) -> tuple[Singles, Singles]:
        """[k, d + p + 1] whose product with what is kept of a song is what each event adds; [k] their weights."""
        kept = self._kept[[one.position for one in happened]] + self._mean
        size = len(self._model.prior)
        whole, near = kept[:, :size], 2 * self._scale * kept[:, size:-1]
        of_each = np.hstack([whole, near, np.full((len(kept), 1), -self._scale, np.float32)]).astype(np.float32)
        return of_each, self._model.weights(whole, happened, attend=self._attend).astype(np.float32)


def kept_of(whole: Singles, points: Floats) -> Singles:
    """float32 [n, d + p + 1]: what is kept of songs, from their vectors [n, d] and points [n, p]."""
    near = points.astype(np.float32)
    return np.hstack([whole, near, (near**2).sum(axis=1, keepdims=True)])
