"""What the command line does with songs, as plain functions; the results are objects to print, one a line."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from services.recommender import song_moods
from services.recommender.catalogue import Catalogue
from services.recommender.importers import ImportReport, import_songs
from services.recommender.library import Library
from services.recommender.sample import sample_wanted, take_sample
from shared.errors import MoodstreamError


def import_file(path: Path, target: Path) -> ImportReport:
    """``moodstream songs import``: the file becomes the catalogue at ``target``. Raises MoodstreamError."""
    catalogue, report = import_songs(path)
    catalogue.save(target)
    return report


def open_songs(path: Path) -> Catalogue:
    """A saved catalogue, or any table that can be imported; of a song all versions, so that every id is known."""
    return take_sample(path) if sample_wanted(path) else import_songs(path, one_version=False)[0]


def moods(catalogue_path: Path) -> Iterator[dict[str, Any]]:
    """``moodstream songs mood``: id, mood, valence and arousal (-1..1) of every song. Raises MoodstreamError."""
    catalogue = open_songs(catalogue_path)
    fitted = song_moods.fit(catalogue)
    for position, song_id in enumerate(catalogue.frame["id"]):
        yield {
            "id": song_id,
            "mood": fitted.mood(position).value,
            "valence": round(float(fitted.valence[position]), 6),
            "arousal": round(float(fitted.arousal[position]), 6),
        }


def similar(
    ids: Sequence[str], catalogue_path: Path, n: int = 10, similarity: str = "standardised"
) -> Iterator[dict[str, Any]]:
    """``moodstream songs similar``: for each id, the most similar songs of the catalogue; n = 0 ranks them all.

    Raises MoodstreamError for an id that is not there, before anything is ranked.
    """
    if n < 0:
        raise MoodstreamError(f"cannot rank {n} songs: 0 ranks all, a positive number the best")
    library = Library.build(open_songs(catalogue_path), similarity)
    for song_id in ids:
        library.catalogue.position(song_id)
    names = library.catalogue.frame["id"].tolist()
    for song_id in ids:
        ranking = [
            {"id": names[match.position], "similarity": match.similarity, "reason": match.reason}
            for match in library.similar(song_id, n)
        ]
        yield {"id": song_id, "ranking": ranking}
