"""Which songs of a mood are offered: a few at random, each by another artist where possible."""

from collections.abc import Callable, Sequence
from random import Random

from moodstream.contracts.events import uuid_of

OFFERED = 5


def draw_songs(songs: Sequence[int], artist: Callable[[int], str], cause_id: str, count: int = OFFERED) -> list[int]:
    """Up to ``count`` of the songs, in the order to show them; the same cause draws the same songs.

    ``artist`` gives the artist of a song; the empty string is an unknown one, who is never the same as another.
    ``cause_id`` is the UUID of the event that asks.
    """
    random = Random(uuid_of(cause_id).int)
    few = min(len(songs), 40 * count)
    # A few are drawn first, since shuffling a large catalogue takes long and is hardly ever needed.
    for size in (few, len(songs)):
        order = random.sample(songs, size)
        chosen = one_per_artist(order, artist)[:count]
        if len(chosen) == min(count, len(songs)):
            return chosen
    rest = (song for song in order if song not in chosen)
    return chosen + [song for song, _ in zip(rest, range(count - len(chosen)), strict=False)]


def one_per_artist(order: Sequence[int], artist: Callable[[int], str]) -> list[int]:
    """The songs without those whose artist stands before."""
    seen: set[str] = set()
    chosen = []
    for song in order:
        name = artist(song).casefold()
        if name not in seen:
            chosen.append(song)
        if name:
            seen.add(name)
    return chosen
