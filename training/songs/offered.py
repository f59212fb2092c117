"""Of five songs offered, with how many listeners agree."""

from uuid import UUID

import numpy as np

from moodstream.contracts.moods import MOODS
from services.recommender.choice.offers import Offers
from services.recommender.models.song_moods import place_songs
from services.recommender.models.vectors import Floats
from training.songs.agreement import Draws, figure, shares
from training.songs.labels import Labels, catalogue_of

OFFERS = 200
"""Of each mood."""


def describe_offers(labels: Labels, memberships: Floats) -> str:
    """Offers of a catalogue of labelled songs, as the service makes them, by mood and over all.

    A song counts as often as it was offered; the intervals come from drawing artists again.
    """
    weights = Draws(labels).weights()
    offers = Offers(catalogue_of(labels).artist, place_songs(memberships), np.ones(len(labels), bool))
    lines, all_rows, all_right = [], [], []
    for code, mood in enumerate(MOODS):
        drawn = [offers.draw(mood, str(UUID(int=number)), ()) for number in range(OFFERS)]
        rows = np.concatenate(drawn)
        right = (labels.codes[rows] == code).astype(float)
        all_rows.append(rows)
        all_right.append(right)
        agreed, plain = figure(shares(right, weights[:, rows])), float((labels.codes == code).mean())
        songs = len(set(rows.tolist()))
        lines.append(f"  {mood.value:<8} {agreed} of the songs offered ({songs} different; any song: {plain:.3f})")
    whole = figure(shares(np.concatenate(all_right), weights[:, np.concatenate(all_rows)]))
    return "\n".join([f"of five songs offered, listeners agree with {5 * whole.value:.1f}: {whole}", *lines])
