"""Moods of songs that the operator knows better than any model."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import SettingError
from services.recommender.catalogue.table import Catalogue
from services.recommender.models.clusters import MOOD_POINTS
from services.recommender.models.song_moods import SongMoods

SETTING = "MOODSTREAM_CORRECTED"


def parse_corrections(text: str) -> dict[str, Mood]:
    """The mood by song, of lines such as ``ID calm``; lines that begin with # are remarks. Raises SettingError."""
    found: dict[str, Mood] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("#"):
            continue
        song_id, _, mood = line.rpartition(" ")
        if not song_id or mood not in MOODS:
            moods = ", ".join(one.value for one in MOODS)
            raise SettingError(SETTING, f"{line[:100]!r} is not the id of a song and one of {moods}")
        found[song_id.strip()] = Mood(mood)
    return found


def correct(moods: SongMoods, catalogue: Catalogue, corrected: Mapping[str, Mood]) -> SongMoods:
    """These songs stand in the middle of their mood; the ids of songs that the catalogue lacks count for nothing."""
    known = {catalogue.positions[song]: mood for song, mood in corrected.items() if song in catalogue.positions}
    if not known:
        return moods
    rows, codes = np.array(list(known), dtype=np.intp), [MOODS.index(mood) for mood in known.values()]
    changed = replace(
        moods,
        codes=moods.codes.copy(),
        valence=moods.valence.copy(),
        arousal=moods.arousal.copy(),
        memberships=moods.memberships.copy(),
    )
    changed.codes[rows] = codes
    changed.memberships[rows] = np.eye(len(MOODS))[codes]
    changed.valence[rows], changed.arousal[rows] = MOOD_POINTS[codes].T
    return changed
