"""Songs made at random: the same seed makes the same ones."""

from pathlib import Path

import numpy as np
import pandas as pd

from services.recommender.catalogue.table import Catalogue

NUMBERS = {
    "danceability": 3,
    "energy": 3,
    "speechiness": 4,
    "acousticness": 5,
    "instrumentalness": 5,
    "liveness": 4,
    "valence": 3,
}


def table(count: int, seed: int = 0) -> pd.DataFrame:
    """A table in the columns of a catalogue, in no order; ids look like Spotify's."""
    random = np.random.default_rng(seed)
    songs = pd.DataFrame({name: random.random(count).round(digits) for name, digits in NUMBERS.items()})
    songs["speechiness"] = (songs["speechiness"] / 2).round(4)  # sung: what is spoken is not offered
    songs["key"] = random.integers(0, 12, count)
    songs["mode"] = random.integers(0, 2, count)
    songs["loudness"] = (-30 * random.random(count)).round(3)
    songs["tempo"] = (60 + 140 * random.random(count)).round(3)
    songs["duration_ms"] = random.integers(60_000, 400_000, count)
    songs.insert(0, "id", [f"{number:022d}" for number in random.permutation(count)])
    songs.insert(1, "title", "Song " + songs["id"].str[-5:])
    songs.insert(2, "artist", [f"Artist {number}" for number in random.integers(0, max(1, count // 3), count)])
    songs.insert(3, "genre", random.choice(["pop", "rock", "folk"], count).tolist())
    songs.insert(4, "uri", "spotify:track:" + songs["id"])
    return songs


def catalogue(count: int, seed: int = 0) -> Catalogue:
    return Catalogue(table(count, seed))


def saved(folder: Path, count: int = 200, seed: int = 0) -> Path:
    path = folder / "catalogue.parquet"
    catalogue(count, seed).save(path)
    return path
