"""Moods that take seconds to find are cached beside the catalogue, so that a restart need not find them again."""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from moodstream.contracts.moods import MOODS
from services.recommender.catalogue.table import Catalogue
from services.recommender.models import song_moods
from services.recommender.models.clusters import Cluster
from services.recommender.models.song_moods import Method, SongMoods
from shared.files import replacing

log = logging.getLogger("moodstream.recommender")

NOT_CACHED: tuple[Method, ...] = ("listeners", "quadrant")
"""Methods that cost less than reading a file."""


def load_or_fit(catalogue: Catalogue, method: Method, beside: Path | None) -> SongMoods:
    """As ``song_moods.fit``; from the file beside the catalogue where that is of the same songs and method."""
    if beside is None or method in NOT_CACHED:
        return song_moods.fit(catalogue, method)
    file = beside.with_name(f"{beside.name}.moods.npz")
    key = f"2 {method} {hashlib.blake2b(catalogue.features.tobytes(), digest_size=16).hexdigest()}"
    moods = _load(file, key)
    if moods is None:
        moods = song_moods.fit(catalogue, method)
        _save(file, key, moods)
    return moods


def _load(file: Path, key: str) -> SongMoods | None:
    """None where there is no file yet, or a broken one, or one of other songs."""
    try:
        with file.open("rb") as source, np.load(source) as cached:
            if str(cached["key"]) != key:
                return None
            moods = SongMoods(cached["codes"], cached["valence"], cached["arousal"], cached["memberships"])
            places = zip(cached["cluster_moods"].tolist(), cached["cluster_places"].tolist(), strict=True)
            found = tuple(Cluster(MOODS[at], int(songs), valence, energy) for at, (songs, valence, energy) in places)
            return replace(moods, clusters=found)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _save(file: Path, key: str, moods: SongMoods) -> None:
    try:
        with replacing(file) as target:
            np.savez(
                target,
                key=key,
                codes=moods.codes,
                valence=moods.valence,
                arousal=moods.arousal,
                memberships=moods.memberships,
                cluster_moods=np.array([MOODS.index(one.mood) for one in moods.clusters], dtype=np.intp),
                cluster_places=np.array([(one.songs, one.valence, one.energy) for one in moods.clusters]),
            )
    except OSError as error:
        log.warning("cannot save the songs' moods for the next start: %s", error.strerror)
