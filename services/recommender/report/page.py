"""``moodstream songs report``: one page about a catalogue and its moods, every number beside it as CSV and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.importers import raw_numbers
from services.recommender.catalogue.progress import Progress
from services.recommender.catalogue.table import Catalogue
from services.recommender.commands import open_songs
from services.recommender.dask_work import Each, one_by_one
from services.recommender.models import song_moods
from services.recommender.models.song_moods import Method, SongMoods
from services.recommender.report import measures, plots
from services.recommender.report.oddities import find_oddities, oddity_table

if TYPE_CHECKING:
    from services.recommender.main import RecommenderSettings

PAGE, NUMBERS_FILE = "index.html", "report.json"
SHOWN_GENRES = 12

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #222831; background: #f5f6f8; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.8rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 0 0 .3rem; }
section { background: #fff; border: 1px solid #e3e6ea; border-radius: 10px; padding: 1.2rem 1.4rem; margin: 1.2rem 0; }
p { margin: .2rem 0 .8rem; max-width: 46rem; color: #4b5560; }
svg { width: 100%; height: auto; max-width: 46rem; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid #e3e6ea; }
th:first-child, td:first-child { text-align: left; } .scroll { overflow-x: auto; }
.file { font-size: .85rem; margin: .6rem 0 0; } a { color: #2f6db3; }
"""


@dataclass(frozen=True)
class MethodComparison:
    """One method of giving moods, on this catalogue."""

    name: str
    sizes: tuple[int, ...]
    silhouette: float | None
    """-1..1, higher is better told apart; None when all songs have one mood"""
    davies_bouldin: float | None
    """from 0, lower is better told apart"""
    agreement: float
    """share of songs with the same mood as by the method in use"""


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, what to see, a picture or a table, and the numbers behind it."""

    title: str
    text: str
    numbers: Mapping[str, pd.DataFrame]
    """by name of the file, without its ending"""
    picture: str = ""
    shown: pd.DataFrame | None = None
    """what is also shown as a table"""

    def as_html(self) -> str:
        files = ", ".join(f'<a href="{name}.csv">{name}.csv</a>' for name in self.numbers)
        table = f'<div class="scroll">{_table(self.shown)}</div>' if self.shown is not None else ""
        file = f'<p class="file">The numbers: {files}</p>' if files else ""
        return f"<section><h2>{escape(self.title)}</h2><p>{escape(self.text)}</p>{self.picture}{table}{file}</section>"


def write_report(
    folder: Path,
    settings: "RecommenderSettings",
    progress: Progress = lambda _: None,
    table: Path | None = None,
    each: Each = one_by_one,
) -> Path:
    """Write the page and its numbers into a folder; gives the page's path. Raises MoodstreamError.

    ``table`` is what the catalogue was imported from: then the page shows its numbers before cleaning, too. ``each``
    does what takes long in parts: moods by every method, and clusters by every number, radius and threshold.
    """
    catalogue = open_songs(settings.catalogue)
    before = raw_numbers(table or settings.catalogue)
    progress("moods by every method")
    by_method = dict(zip(song_moods.METHODS, each(song_moods.fit, catalogue, list(song_moods.METHODS)), strict=True))
    progress("drawing")
    sections = make_sections(catalogue, before, by_method, settings.song_moods, each)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, numbers in _numbers(sections).items():
            numbers.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        (folder / NUMBERS_FILE).write_text(_json(sections), encoding="utf-8")
        (folder / PAGE).write_text(_page(catalogue, sections), encoding="utf-8")
    except OSError as error:
        raise MoodstreamError(f"cannot write the report into {folder}: {error.strerror}") from None
    return folder / PAGE


def compare_methods(
    catalogue: Catalogue, by_method: dict[Method, SongMoods], used: SongMoods
) -> list[MethodComparison]:
    """How well each method tells songs apart in the article's components, and how far it agrees with the one used."""
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    points = song_moods.components(catalogue)
    some = np.sort(np.random.default_rng(0).permutation(len(points))[: measures.SAMPLE_SIZE])
    rows = []
    for name, moods in by_method.items():
        several = 2 <= len(np.unique(moods.codes[some])) < len(some)
        rows.append(
            MethodComparison(
                name,
                tuple(np.bincount(moods.codes, minlength=len(MOODS)).tolist()),
                float(silhouette_score(points[some], moods.codes[some])) if several else None,
                float(davies_bouldin_score(points[some], moods.codes[some])) if several else None,
                float((moods.codes == used.codes).mean()),
            )
        )
    return rows


def make_sections(
    catalogue: Catalogue,
    before: pd.DataFrame,
    by_method: dict[Method, SongMoods],
    method: Method,
    each: Each = one_by_one,
) -> list[Section]:
    """The whole page, from what people ask first to what a data scientist asks last."""
    used = by_method[method]
    return [
        *_mood_sections(catalogue, by_method, method),
        *_genre_sections(catalogue, used),
        *_table_sections(catalogue, before),
        *_cluster_sections(catalogue, by_method, each),
        *_oddity_sections(catalogue),
        _methods(compare_methods(catalogue, by_method, used), method),
    ]


def _mood_sections(catalogue: Catalogue, by_method: dict[Method, SongMoods], method: Method) -> list[Section]:
    used = by_method[method]
    counts, places = measures.songs_per_mood(used), measures.circumplex(by_method, method)
    return [
        Section(
            "Songs per mood", f"Moods by the method “{method}”.", {"songs_per_mood": counts}, plots.songs_per_mood(used)
        ),
        Section(
            "The circumplex",
            "Russell's circle of feelings with its words (1980): where songs, the middles of the moods, the article's "
            "clusters and the moods of faces lie.",
            {"circumplex": places},
            plots.circumplex(places, used),
        ),
        Section(
            "Where the moods lie in Spotify's valence and energy",
            "Each dot is a song; coloured are those of the mood. Listeners go by more than valence and energy.",
            {},
            plots.mood_plane(catalogue, used),
        ),
    ]


def _genre_sections(catalogue: Catalogue, moods: SongMoods) -> list[Section]:
    table = measures.genres(catalogue, moods)
    picture = plots.genres_per_mood(catalogue, moods)
    if not picture:
        return [Section("Genres and moods", "This catalogue knows no genres.", {})]
    names = [mood.value for mood in MOODS]
    shown = table.head(SHOWN_GENRES)[["genre", "songs", *names]]
    ranks = {
        name: [
            f"{row.genre} {count:,}"
            for row, count in zip(top.itertuples(), top[name], strict=True)
            if count  # a mood may have few genres
        ]
        for name in names
        for top in [table.sort_values(name, ascending=False, kind="stable").head(SHOWN_GENRES)]
    }
    inside = pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in ranks.items()}).fillna("")
    inside.insert(0, "place", [str(at + 1) for at in range(len(inside))])
    return [
        Section("Moods in each genre", "The commonest genres, with counts.", {"genres": table}, picture, shown),
        Section("Genres in each mood", "The commonest genres of each mood, with counts.", {}, shown=inside),
    ]


def _table_sections(catalogue: Catalogue, before: pd.DataFrame) -> list[Section]:
    spread, counts = measures.distributions(before, catalogue), measures.outlier_counts(catalogue)
    far, parts = measures.farthest_songs(catalogue), measures.explained(catalogue)
    told = "; ".join(f"{row.component}. {row.share:.0%}: {row.words}" for row in parts.head(4).itertuples())
    return [
        Section(
            "Features before and after cleaning",
            f"Grey the {len(before):,} rows of the table, blue the {len(catalogue):,} songs that are left; the ends "
            "hold what lies beyond. Name the table that was imported with --table, if both are the same here.",
            {"distributions": spread},
            plots.distributions(before, catalogue),
        ),
        Section(
            "Outliers",
            "Songs beyond Tukey's fences (1.5 interquartile ranges from the quartiles), feature by feature.",
            {"outliers": counts},
            shown=counts,
        ),
        Section(
            "The most unusual songs",
            "Farthest from the middle by Mahalanobis distance over all features, with the feature that is oddest.",
            {"unusual_songs": far},
            shown=far.drop(columns="id"),
        ),
        Section(
            "Which features go together",
            "Correlation. 1: they rise together; -1: one rises as the other falls; 0: they know nothing of each other.",
            {"correlations": measures.correlations(catalogue)},
            plots.correlations(catalogue),
        ),
        Section(
            "How many directions songs differ in",
            f"Explained variance of the principal components of the standardised features. {told}.",
            {"components": parts},
            plots.scree(catalogue),
        ),
    ]


def _oddity_sections(catalogue: Catalogue) -> list[Section]:
    found = oddity_table(find_oddities(catalogue))
    text = "Pieces that are no songs, and songs of a season, which are heard in season only."
    return [Section("What is not offered", text, {"not_offered": found}, shown=found)] if len(found) else []


def _cluster_sections(catalogue: Catalogue, by_method: dict[Method, SongMoods], each: Each) -> list[Section]:
    article, by_k = by_method["article"], measures.numbers_of_clusters(catalogue, each)
    centres, dense = measures.mood_centres(catalogue, by_method), measures.densities(catalogue, each)
    best = by_k["k"].iloc[int(by_k["silhouette"].argmax())] if len(by_k) else 4
    return [
        Section(
            "How many clusters",
            "k-means over the article's four components. Elbow: what is left of the spread; silhouette: how well songs "
            f"are told apart, best at k = {best}. The article takes four.",
            {"clusters_by_k": by_k},
            plots.elbow(by_k) if len(by_k) else "",
        ),
        Section(
            "The article's clusters",
            "Four clusters of k-means over four components, seen in the first two; large dots are their centres.",
            {"centres": centres},
            plots.component_plane(song_moods.components(catalogue), article),
            centres[centres["method"] == "article"].drop(columns="method"),
        ),
        Section(
            "The article's clusters in valence and energy",
            ". ".join(("A cluster has the mood of the quadrant that its centre lies in", *article.notes)) + ".",
            {},
            plots.mood_plane(catalogue, article),
        ),
        Section(
            "DBSCAN and Birch",
            "What they find with which parameters: radius and least neighbours of DBSCAN, threshold of Birch; noise is "
            "the share of songs in no group. The service takes the largest radius with at least four groups (then each "
            "song of the noise joins the nearest centre), and Birch with 0.5, whose subclusters then join to four.",
            {"densities": dense},
            shown=dense,
        ),
    ]


def _methods(rows: list[MethodComparison], used: str) -> Section:
    table = pd.DataFrame(
        [
            {"method": row.name}
            | dict(zip([mood.value for mood in MOODS], row.sizes, strict=True))
            | {"silhouette": row.silhouette, "Davies-Bouldin": row.davies_bouldin, "agreement": row.agreement}
            for row in rows
        ]
    ).round(4)
    return Section(
        "The methods compared",
        "Silhouette (higher) and Davies-Bouldin (lower) say how well moods are told apart in the article's components; "
        f"agreement is the share of songs with the same mood as by “{used}”.",
        {"methods": table},
        shown=table,
    )


def _numbers(sections: list[Section]) -> dict[str, pd.DataFrame]:
    return {name: numbers for section in sections for name, numbers in section.numbers.items()}


def _json(sections: list[Section]) -> str:
    parts = (f'"{name}": {numbers.to_json(orient="records")}' for name, numbers in _numbers(sections).items())
    return "{" + ",\n".join(parts) + "}\n"


def _page(catalogue: Catalogue, sections: list[Section]) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Songs and their moods</title><style>{STYLE}</style><main><h1>Songs and their moods</h1>"
        f'<p>{len(catalogue):,} songs. All numbers in one file: <a href="{NUMBERS_FILE}">{NUMBERS_FILE}</a>.</p>'
        f"{''.join(section.as_html() for section in sections)}</main></html>\n"
    )


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(name))}" for name in frame.columns)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(cell)}" for cell in row) for row in frame.itertuples(index=False))
    return f"<table><tr>{head}{rows}</table>"


def _cell(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return "–"
    if isinstance(cell, int | np.integer):
        return f"{int(cell):,}"
    return f"{cell:.3g}" if isinstance(cell, float) else escape(str(cell))
