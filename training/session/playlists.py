"""Playlists of several tables, and parts of them that have neither playlists nor songs in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.recommender.models.names import first_of, start_of
from services.recommender.models.vectors import INPUTS, Floats, Positions
from training.data import DataError

PLAYLIST, SONG, PLACE = ("playlist_id", "playlist"), ("joined_track_id", "track_id"), "pos"
"""Columns that name the playlist and the song, the first of them that there is, and the place in the playlist."""
TITLE, ARTIST = ("title", "track_name"), ("artist", "track_artist")
MIN_SONGS = 6
MAX_SONGS = 400
"""Of a longer playlist so many are drawn: what a robot has gathered for years is no session."""


@dataclass(frozen=True, eq=False)
class Playlists:
    """Songs and the playlists they are in."""

    numbers: Floats
    """[n, 12] of the songs, in the order of ``INPUTS``"""
    titles: Sequence[str]
    """[n], empty where unknown"""
    artists: Sequence[str]
    work: npt.NDArray[np.intp]
    """[n] the same for songs of one title and artist, however many ids they have"""
    artist: npt.NDArray[np.intp]
    """[n] the same for songs of one first artist"""
    members: tuple[Positions, ...]
    """positions of the songs of each playlist, in its order where that is known"""
    sources: npt.NDArray[np.str_]
    """[playlists] the table that each is from"""
    tables: Mapping[str, Positions]
    """all songs in playlists of each table"""

    def chosen(self, which: npt.NDArray[np.bool_]) -> "Playlists":
        """Some of the playlists, among the same songs."""
        members = tuple(one for one, wanted in zip(self.members, which, strict=True) if wanted)
        return replace(self, members=members, sources=self.sources[which])

    def without(self, works: npt.NDArray[np.intp]) -> "Playlists":
        """The playlists less these works; those that become short are left out."""
        members = [one[~np.isin(self.work[one], works)] for one in self.members]
        long = np.array([len(one) >= MIN_SONGS for one in members], dtype=bool)
        return replace(self, members=tuple(members)).chosen(long)

    def strangers(self, fitted: "Playlists") -> npt.NDArray[np.bool_]:
        """[n] whether no song by its artist is in the playlists that were fitted on."""
        return ~np.isin(self.artist, self.artist[np.unique(np.concatenate(fitted.members))])

    def works(self) -> npt.NDArray[np.intp]:
        """All works that are in some playlist."""
        return np.unique(self.work[np.concatenate(self.members)]) if self.members else np.empty(0, np.intp)


def read(tables: Sequence[Path], features: Sequence[Path] = (), seed: int = 0) -> Playlists:
    """Tables of playlists, and tables with the features of songs that those lack. Raises DataError."""
    frames = {path.name.split(".")[0]: _table(path) for path in tables}
    numbers = _numbers([*frames.values(), *map(_table, features)])
    random = np.random.default_rng(seed)
    songs, members, sources = pd.Series(np.arange(len(numbers)), index=numbers.index), [], []
    for source, frame in frames.items():
        for _, part in _rows(frame, source).groupby("playlist", sort=True):
            found = songs.reindex(part["song"].drop_duplicates()).dropna().to_numpy(np.intp)
            if len(found) > MAX_SONGS:
                found = found[np.sort(random.choice(len(found), MAX_SONGS, replace=False))]
            if len(found) >= MIN_SONGS:
                members.append(found)
                sources.append(source)
    if not members:
        raise DataError("no playlist has enough songs whose features are known")
    used = np.unique(np.concatenate(members))
    at = np.full(len(numbers), -1)
    at[used] = np.arange(len(used))
    kept = numbers.iloc[used]
    places, named = [at[one] for one in members], np.array(sources)
    songs_of = {
        source: np.unique(np.concatenate([one for one, of in zip(places, sources, strict=True) if of == source]))
        for source in np.unique(named)
    }
    return Playlists(
        kept[list(INPUTS)].to_numpy(float),
        kept["title"].tolist(),
        kept["artist"].tolist(),
        pd.factorize(kept["work"])[0],
        pd.factorize(kept["first"])[0],
        tuple(places),
        named,
        songs_of,
    )


def split(data: Playlists, share: float = 0.2, seed: int = 0, *, cold: bool = True) -> tuple[Playlists, Playlists]:
    """Playlists to fit on, and a share of each table kept aside; ``cold``, the former lack the latter's works."""
    random = np.random.default_rng(seed)
    aside = np.zeros(len(data.members), dtype=bool)
    for source in np.unique(data.sources):
        rows = random.permutation(np.flatnonzero(data.sources == source))
        aside[rows[: round(share * len(rows))]] = True
    kept = data.chosen(aside)
    rest = data.chosen(~aside)
    return rest.without(kept.works()) if cold else rest, kept


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, low_memory=False)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from None


def _first(frame: pd.DataFrame, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in frame), None)


def _rows(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    playlist, song = _first(frame, PLAYLIST), _first(frame, SONG)
    if playlist is None or song is None:
        raise DataError(f"{source} has no column of playlists ({', '.join(PLAYLIST)}) or songs ({', '.join(SONG)})")
    rows = pd.DataFrame({"playlist": frame[playlist], "song": frame[song]})
    if PLACE in frame:
        rows = rows.assign(place=frame[PLACE]).sort_values(["playlist", "place"], kind="stable")
    return rows.dropna(subset=["playlist", "song"])


def _numbers(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The features of all songs that have them, by id, with titles, artists and works."""
    parts = []
    for frame in frames:
        if not set(INPUTS) <= set(frame):
            continue
        song = _first(frame, ("track_id", *SONG))
        title, artist = _first(frame, TITLE), _first(frame, ARTIST)
        if song is None or title is None or artist is None:
            raise DataError("a table with features has no ids, titles or artists")
        given = {"title": frame[title].fillna("").astype("str"), "artist": frame[artist].fillna("").astype("str")}
        first = given["artist"].map(first_of)
        work = given["title"].map(start_of) + "\n" + first
        part = frame[list(INPUTS)].apply(pd.to_numeric, errors="coerce")
        parts.append(part.assign(song=frame[song], work=work, first=first, **given))
    if not parts:
        raise DataError("no table has the features of songs")
    whole = pd.concat(parts).dropna(subset=[*INPUTS, "song"])
    known: pd.DataFrame = whole[whole["tempo"] > 0].drop_duplicates("song").set_index("song").sort_index()
    return known
