"""Why a song is similar to another: what is alike and what differs most, and one plain sentence of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from moodstream.contracts.events import Compared, Degree, TraitName
from services.recommender.catalogue.songs import Rows
from services.recommender.catalogue.table import FEATURES, Positions


@dataclass(frozen=True)
class Trait:
    """A feature that people hear, in their words."""

    feature: TraitName
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

TRAIT_COLUMNS = [FEATURES.index(trait.feature) for trait in TRAITS]

STEPS = (0.3, 1.0, 2.0)
"""From how many standard deviations of the catalogue on a difference is heard, is clear, is great."""

DEGREES: tuple[Degree, ...] = ("alike", "little", "clear", "much")
"""What differences below, between and above the steps are called."""

WORDS: Mapping[str, str] = {"little": "a little", "clear": "clearly", "much": "much"}
"""The degrees of a difference that is heard, in English."""


@dataclass(frozen=True)
class Reason:
    """Why a song is similar, for programs and for people; both say the same."""

    compared: tuple[Compared, ...]
    sentence: str


class Reasons:
    """Compares the songs of one catalogue."""

    def __init__(self, standardised: Rows) -> None:
        """``standardised`` [n, 11] in the order of ``FEATURES``."""
        self._standardised = standardised

    def between(self, position: int, others: Positions) -> list[Reason]:
        """For each of the other songs, how it differs from the one at ``position``."""
        traits = self._standardised[np.append(position, others)][:, TRAIT_COLUMNS]
        differences = traits[1:] - traits[0]
        sizes = np.abs(differences)
        greatest = sizes.argmax(axis=1)
        rows = np.arange(len(others))
        degrees = np.digitize(sizes[rows, greatest], STEPS)
        more = differences[rows, greatest] > 0
        alike = (sizes < STEPS[0]) @ (1 << np.arange(len(TRAITS)))
        parts = np.stack([alike, sizes.argmin(axis=1), greatest, degrees, more], axis=1)
        return _reasons(parts.astype(np.int64))


def _reasons(parts: npt.NDArray[np.int64]) -> list[Reason]:
    """A reason for each row; there are few different ones, so that even a whole catalogue takes little time."""
    known: dict[bytes, Reason] = {}
    found = []
    for row in parts:
        key = row.tobytes()
        if key not in known:
            compared = _compared(*row.tolist())
            known[key] = Reason(compared, sentence(compared))
        found.append(known[key])
    return found


def _compared(alike: int, nearest: int, greatest: int, degree: int, more: int) -> tuple[Compared, ...]:
    """What is worth saying: up to two traits that are alike, and the one that differs most; three where none does."""
    same = [trait for place, trait in enumerate(TRAITS) if alike >> place & 1]
    said = [Compared(trait=trait.feature, degree="alike") for trait in same[: 3 if degree == 0 else 2]]
    if degree == 0:
        return tuple(said)
    said = said or [Compared(trait=TRAITS[nearest].feature, degree="nearest")]
    direction: Literal["more", "less"] = "more" if more else "less"
    return *said, Compared(trait=TRAITS[greatest].feature, degree=DEGREES[degree], direction=direction)


def sentence(compared: tuple[Compared, ...]) -> str:
    """The same in English; the page has the words of other languages in its messages."""
    words: dict[str, Trait] = {trait.feature: trait for trait in TRAITS}
    *near, last = compared
    if last.direction is None:
        *first, final = (words[one.trait].name for one in compared)
        return f"Same {', '.join(first)} and {final}, and alike in all else."
    names = " and ".join(words[one.trait].name for one in near)
    head = f"Nearest in {names}" if near[0].degree == "nearest" else f"Same {names}"
    change = words[last.trait].more if last.direction == "more" else words[last.trait].less
    return f"{head}, {WORDS[last.degree]} {change}."
