"""How the other songs of each song's artist sound, which tells more of who listens to a song than the song alone."""

from collections.abc import Sequence

import numpy as np

from services.recommender.models.names import first_of
from services.recommender.models.vectors import Floats, Positions, Singles

CAUTION = 2.0
"""As many songs that sound like the average one are counted to each artist's: little is known of who has few."""


class OtherSongs:
    """Of the artists in one catalogue."""

    def __init__(self, sound: Singles, artists: Sequence[str]) -> None:
        """``sound`` [n, k] is what is known of songs, 0 on average; their artists as they stand in a catalogue."""
        import pandas  # takes a second, for which no other service waits

        self._sound = sound
        self._artist: Positions = pandas.factorize(np.array([first_of(one) or None for one in artists], object))[0]
        known, number = self._artist >= 0, self._artist.max(initial=-1) + 1
        of = self._artist[known]
        self._songs = np.bincount(of, minlength=number)
        sums = [np.bincount(of, column, minlength=number) for column in sound[known].T]
        self._sums: Floats = np.stack(sums, axis=1)

    def of(self, rows: slice) -> Singles:
        """float32 [m, k] for some of the songs: zeros where the artist is unknown or has no other."""
        artist, found = self._artist[rows], np.zeros((len(self._artist[rows]), self._sums.shape[1]))
        known = artist >= 0
        others, count = self._sums[artist[known]] - self._sound[rows][known], self._songs[artist[known], None] - 1
        found[known] = np.where(count > 0, others, 0) / (count + CAUTION)
        return found.astype(np.float32)
