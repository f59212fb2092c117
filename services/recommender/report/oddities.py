"""What a catalogue holds that is never, or not always, offered: pieces that are no songs, and songs of a season."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from services.recommender.catalogue.table import Catalogue
from services.recommender.choice.filters import Mask
from services.recommender.choice.occasions import WORDS, matches
from services.recommender.choice.outliers import find_outliers

EXAMPLES = 5


@dataclass(frozen=True)
class Oddity:
    """One kind of them."""

    kind: str
    count: int
    examples: tuple[str, ...]
    """titles with artists"""


def find_oddities(catalogue: Catalogue) -> list[Oddity]:
    """Kinds that the catalogue has, in a fixed order; an entry may be of several."""
    titles = catalogue.frame["title"]
    seasons = {f"season {name}": matches(titles, words) for name, words in WORDS.items()}
    kinds: Mapping[str, Mask] = {**find_outliers(catalogue), **seasons}
    return [Oddity(kind, int(mask.sum()), _examples(catalogue, mask)) for kind, mask in kinds.items() if mask.any()]


def _examples(catalogue: Catalogue, mask: Mask) -> tuple[str, ...]:
    songs = (catalogue.song(int(at)) for at in np.flatnonzero(mask)[:EXAMPLES])
    return tuple(song.name for song in songs)


def oddity_table(oddities: list[Oddity]) -> pd.DataFrame:
    """One row a kind, with examples."""
    rows = [{"kind": one.kind, "songs": one.count, "such as": "; ".join(one.examples)} for one in oddities]
    return pd.DataFrame(rows, columns=["kind", "songs", "such as"])
