"""The library of a version: what ``choice.library`` makes of a catalogue in memory, over tables."""

import numpy as np

from moodstream.contracts.moods import MOODS, Mood
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import Positions
from services.recommender.choice.after_history import AfterHistory, Candidates
from services.recommender.choice.filters import refuse_none
from services.recommender.choice.library import LibraryOptions
from services.recommender.choice.offers import Offers
from services.recommender.choice.reasons import Reasons
from services.recommender.choice.song_library import SongLibrary
from services.recommender.models.session import SessionModel, SessionRanking
from services.recommender.postgres.conditions import condition
from services.recommender.postgres.rankings import Neighbours, StoredRanking
from services.recommender.postgres.search import StoredSearch
from services.recommender.postgres.version import StoredFeatures, StoredPoints, StoredSongs, Version, read_in_memory


def build(version: Version, options: LibraryOptions) -> SongLibrary:
    """Reads about 230 bytes a song. Raises MoodstreamError for options that the tables were not made for, or where the
    filters leave no song; SongsUnreachable where the server is away."""
    _refuse_other_options(version, options)
    notes = version.notes
    held = read_in_memory(version, options.filters, sessions=options.history != "off")
    refuse_none(bool(held.allowed.any()))
    moods, songs, points, typical = (
        held.moods,
        StoredSongs(version, held.artists),
        StoredPoints(version),
        notes["typical"],
    )
    of: dict[Mood | None, Positions] = {None: np.flatnonzero(held.allowed)}
    of |= {mood: np.flatnonzero(held.allowed & (moods.codes == code)) for code, mood in enumerate(MOODS)}
    neighbours = Neighbours(version, condition(options.filters), of)
    whole = StoredRanking(neighbours, points, typical)
    reasons, after_history = Reasons(StoredFeatures(version)), None
    if held.kept is not None:
        model = SessionModel.load()
        if model.version != notes["session_version"]:
            raise MoodstreamError(
                f"the songs in {version.database.where} are of another model of sessions; import them again"
            )
        ranking = SessionRanking(model, held.kept, typical, attend=options.history == "attention")
        after_history = AfterHistory(songs, Candidates(ranking, of.__getitem__), whole, reasons)
    return SongLibrary(
        songs=songs,
        moods=moods,
        whole=whole,
        of_mood={mood: StoredRanking(neighbours, points, typical, mood) for mood in MOODS},
        reasons=reasons,
        allowed=held.allowed,
        offers=Offers(songs.artist, moods, held.allowed),
        points=points,
        typical=typical,
        text_search=StoredSearch(version),
        after_history=after_history,
    )


def check(version: Version, options: LibraryOptions) -> None:
    """Raises MoodstreamError for options that the tables were not made for, or where the filters leave no song."""
    _refuse_other_options(version, options)
    where, values = condition(options.filters)
    [(some,)] = version.ask("SELECT EXISTS (SELECT FROM {table} WHERE {where})", values, where=where)
    refuse_none(some)


def _refuse_other_options(version: Version, options: LibraryOptions) -> None:
    where, method = version.database.where, version.notes["method"]
    if options.similarity != "learned":
        raise MoodstreamError(f"MOODSTREAM_SIMILARITY={options.similarity} needs the songs in a file, not in {where}")
    if options.corrected:
        raise MoodstreamError(f"MOODSTREAM_CORRECTED needs the songs in a file, not in {where}")
    if options.method != method:
        raise MoodstreamError(
            f"the songs in {where} were imported with MOODSTREAM_SONG_MOODS={method}, not {options.method}; import "
            "them again, or set it so"
        )
