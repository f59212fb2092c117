"""How far moods agree with what listeners said, with intervals by drawing artists again."""

from dataclasses import dataclass

import numpy as np

from moodstream.contracts.moods import MOODS
from services.recommender.models.listeners import first_artist
from services.recommender.models.vectors import Floats
from training.songs.labels import Codes, Labels

ROUNDS = 1000


@dataclass(frozen=True)
class Figure:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Draws:
    """The same artists drawn again for every figure, so that differences are paired."""

    def __init__(self, labels: Labels, seed: int = 0) -> None:
        names = [first_artist(artist) for artist in labels.artists.tolist()]
        _, self._artist = np.unique(names, return_inverse=True)
        count = int(self._artist.max()) + 1
        random = np.random.default_rng(seed)
        self._times = random.multinomial(count, np.full(count, 1 / count), ROUNDS).astype(float)

    def weights(self) -> Floats:
        """[1 + rounds, n] how often each song counts; the first row is as it is."""
        drawn = self._times[:, self._artist]
        return np.vstack([np.ones((1, drawn.shape[1])), drawn])


def balanced_accuracies(codes: Codes, right: Floats, weights: Floats) -> Floats:
    """[rounds] the mean recall of the moods that there are; right [n] 0..1."""
    recalls = []
    for code in np.unique(codes):
        own = weights[:, codes == code]
        total = own.sum(axis=1)
        share = np.divide(own @ right[codes == code], total, out=np.full(len(own), np.nan), where=total > 0)
        recalls.append(share)
    return np.asarray(np.nanmean(recalls, axis=0))


def shares(right: Floats, weights: Floats) -> Floats:
    return np.asarray((weights @ right) / weights.sum(axis=1).clip(1e-9))


def figure(values: Floats) -> Figure:
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return Figure(float(values[0]), float(low), float(high))


def surest_quarter(found: Codes, memberships: Floats, code: int) -> Codes:
    """Rows of the quarter of a mood's songs that belong to it most clearly."""
    own = np.flatnonzero(found == code)
    ordered = np.sort(memberships[own], axis=1)
    clearest = np.argsort(-(ordered[:, -1] - ordered[:, -2]), kind="stable")
    return np.asarray(own[clearest[: max(1, round(len(own) / 4))]])


def calibration_error(codes: Codes, memberships: Floats, bins: int = 15) -> float:
    """Mean difference between the likeliest mood's membership and how often it is right, over bins of songs."""
    best = memberships.max(axis=1)
    right = memberships.argmax(axis=1) == codes
    groups = np.minimum((best * bins).astype(int), bins - 1)
    gaps = [abs(float((best[groups == at] - right[groups == at]).sum())) for at in np.unique(groups)]
    return sum(gaps) / len(codes)


def describe(labels: Labels, found: dict[str, Codes], memberships: Floats) -> str:
    """A table: balanced accuracy by method and source, and the surest quarter of each mood of ours."""
    weights = Draws(labels).weights()
    lines = []
    for source in ("all", *np.unique(labels.sources)):
        rows = np.arange(len(labels)) if source == "all" else np.flatnonzero(labels.sources == source)
        lines.append(f"{source}: {len(rows)} songs")
        for name, codes in found.items():
            right = (codes[rows] == labels.codes[rows]).astype(float)
            lines.append(f"  {name:<10} {figure(balanced_accuracies(labels.codes[rows], right, weights[:, rows]))}")
    ours = memberships.argmax(axis=1)
    surest = [surest_quarter(ours, memberships, code) for code in range(len(MOODS))]
    for name, rows in (*zip((mood.value for mood in MOODS), surest, strict=True), ("all four", np.concatenate(surest))):
        agreed = figure(shares((ours[rows] == labels.codes[rows]).astype(float), weights[:, rows]))
        lines.append(f"surest quarter, {name:<8} {len(rows):>4} songs: listeners agree with {agreed}")
    lines.append(f"calibration error {calibration_error(labels.codes, memberships):.3f}")
    return "\n".join(lines)
