"""Which songs of a mood are offered: a few at random, the likelier the better they fit, each by another artist."""

from collections.abc import Callable, Sequence

import numpy as np

from moodstream.contracts.events import uuid_of
from services.recommender.models.vectors import Floats, Positions

OFFERED = 5

SURE_MARGIN = 0.1
"""Songs nearer to the border of their mood are offered only where too few others are left."""

FIT = 8.0
"""A song that belongs to its mood twice as much is 2 to the power of this as likely to be drawn."""


def fit_weights(memberships: Floats) -> Floats:
    """How likely songs are to be drawn, relative to each other, by their memberships [n] in the mood."""
    return np.asarray(memberships.clip(1e-6) ** FIT)


def draw_songs(
    songs: Sequence[int] | Positions,
    artist: Callable[[int], str],
    cause_id: str,
    count: int = OFFERED,
    weights: Floats | None = None,
) -> list[int]:
    """Up to ``count`` of the songs, in the order to show them; the same cause draws the same songs.

    ``artist`` gives the artist of a song; the empty string is an unknown one, who is never the same as another.
    ``cause_id`` is the UUID of the event that asks. ``weights`` [n]: how likely each is; without them all are alike.
    """
    among = np.asarray(songs, dtype=np.intp)
    # As if each song rang after a while, the likelier the sooner: P. Efraimidis and P. Spirakis, "Weighted random
    # sampling with a reservoir" (2006).
    waits = np.random.default_rng(uuid_of(cause_id).int).standard_exponential(len(among))
    waits /= 1.0 if weights is None else weights
    # The first few are put in order first, since a whole catalogue takes long and is hardly ever needed.
    order: list[int] = []
    for size in (min(len(among), 40 * count), len(among)):
        first = np.argpartition(waits, size - 1)[:size] if size else np.array([], dtype=np.intp)
        order = among[first[np.lexsort((first, waits[first]))]].tolist()
        chosen = one_per_artist(order, artist)[:count]
        if len(chosen) == min(count, len(among)):
            return chosen
    rest = (song for song in order if song not in chosen)
    return chosen + [song for song, _ in zip(rest, range(count - len(chosen)), strict=False)]


def one_per_artist(order: Sequence[int], artist: Callable[[int], str]) -> list[int]:
    """The songs without those whose artist stands before."""
    return limit_per_artist(order, artist, 1)


def limit_per_artist(order: Sequence[int], artist: Callable[[int], str], most: int, before: str = "") -> list[int]:
    """The songs without those whose artist stands ``most`` times before; ``before`` is an artist heard already."""
    seen: dict[str, int] = {before.casefold(): 1}
    chosen = []
    for song in order:
        name = artist(song).casefold()
        if not name or seen.get(name, 0) < most:
            chosen.append(song)
            seen[name] = seen.get(name, 0) + 1
    return chosen
