"""Moods that take seconds to find are kept beside the catalogue, so that a restart need not find them again."""

import hashlib
import logging
import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from services.recommender.catalogue.table import Catalogue
from services.recommender.models import song_moods
from services.recommender.models.song_moods import Method, SongMoods

log = logging.getLogger("moodstream.recommender")

QUICK: tuple[Method, ...] = ("listeners", "quadrant")
"""Methods that cost less than reading a file."""


def moods(catalogue: Catalogue, method: Method, beside: Path | None) -> SongMoods:
    """As ``song_moods.fit``; from the file beside the catalogue where that is of the same songs and method."""
    if beside is None or method in QUICK:
        return song_moods.fit(catalogue, method)
    file = beside.with_name(f"{beside.name}.moods.npz")
    key = f"1 {method} {hashlib.blake2b(catalogue.features.tobytes(), digest_size=16).hexdigest()}"
    kept = _read(file, key)
    if kept is None:
        kept = song_moods.fit(catalogue, method)
        _write(file, key, kept)
    return kept


def _read(file: Path, key: str) -> SongMoods | None:
    try:
        with np.load(file) as kept:
            if str(kept["key"]) != key:
                return None
            return SongMoods(kept["codes"], kept["valence"], kept["arousal"], kept["memberships"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # none yet, or a broken one: it is found anew
        return None


def _write(file: Path, key: str, found: SongMoods) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with part.open("wb") as target:
            np.savez(
                target,
                key=key,
                codes=found.codes,
                valence=found.valence,
                arousal=found.arousal,
                memberships=found.memberships,
            )
        part.replace(file)
    except OSError as error:
        log.warning("moods are not kept for the next start: %s", error.strerror)
        part.unlink(missing_ok=True)
