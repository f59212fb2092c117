"""Why a song is similar to another: one plain sentence from their features."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.recommender.catalogue.table import FEATURES, Catalogue, Positions


@dataclass(frozen=True)
class Trait:
    """A feature that people hear, in their words."""

    feature: str
    name: str
    more: str
    less: str


TRAITS = (
    Trait("energy", "drive", "more driving", "gentler"),
    Trait("tempo", "tempo", "faster", "slower"),
    Trait("valence", "brightness", "brighter", "darker"),
    Trait("danceability", "groove", "more danceable", "less danceable"),
    Trait("acousticness", "sound", "more acoustic", "less acoustic"),
    Trait("speechiness", "amount of speech", "more spoken", "less spoken"),
)

STEPS = (0.3, 1.0, 2.0)
"""From how many standard deviations of the catalogue on a difference is heard, is clear, is great."""

DEGREES = ("", "a little", "clearly", "much")


class Reasons:
    """Writes the sentences for the songs of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._traits = catalogue.standardised[:, [FEATURES.index(trait.feature) for trait in TRAITS]]

    def sentences(self, position: int, others: Positions) -> list[str]:
        """For each of the other songs, how it differs from the one at ``position``."""
        differences = self._traits[others] - self._traits[position]
        sizes = np.abs(differences)
        greatest = sizes.argmax(axis=1)
        rows = np.arange(len(others))
        degrees = np.digitize(sizes[rows, greatest], STEPS)
        more = differences[rows, greatest] > 0
        alike = (sizes < STEPS[0]) @ (1 << np.arange(len(TRAITS)))
        parts = np.stack([alike, sizes.argmin(axis=1), greatest, degrees, more], axis=1)
        return _write(parts.astype(np.int64))


def _write(parts: npt.NDArray[np.int64]) -> list[str]:
    """A sentence for each row; there are few different ones, so that even a whole catalogue takes little time."""
    known: dict[bytes, str] = {}
    lines = []
    for row in parts:
        key = row.tobytes()
        if key not in known:
            known[key] = _sentence(*row.tolist())
        lines.append(known[key])
    return lines


def _sentence(alike: int, nearest: int, greatest: int, degree: int, more: int) -> str:
    same = [trait.name for index, trait in enumerate(TRAITS) if alike >> index & 1]
    if degree == 0:
        return f"Same {same[0]}, {same[1]} and {same[2]}, and alike in all else."
    head = f"Same {' and '.join(same[:2])}" if same else f"Nearest in {TRAITS[nearest].name}"
    change = TRAITS[greatest].more if more else TRAITS[greatest].less
    return f"{head}, {DEGREES[degree]} {change}."
