"""``moodstream songs report``: one page about a catalogue and its moods, which needs nothing from elsewhere."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.progress import Progress
from services.recommender.catalogue.table import Catalogue
from services.recommender.commands import open_songs
from services.recommender.models import song_moods
from services.recommender.models.song_moods import SongMoods
from services.recommender.report import plots
from services.recommender.report.oddities import find_oddities, oddity_table

if TYPE_CHECKING:
    from services.recommender.main import RecommenderSettings

PAGE = "index.html"
SAMPLE_SIZE = 3_000
"""Songs that silhouettes are worked out on: time grows with the square."""

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #222831; background: #f5f6f8; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.8rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 0 0 .3rem; }
section { background: #fff; border: 1px solid #e3e6ea; border-radius: 10px; padding: 1.2rem 1.4rem; margin: 1.2rem 0; }
p { margin: .2rem 0 .8rem; max-width: 46rem; color: #4b5560; }
svg { width: 100%; height: auto; max-width: 46rem; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid #e3e6ea; }
th:first-child, td:first-child { text-align: left; } .scroll { overflow-x: auto; }
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


def write_report(folder: Path, settings: "RecommenderSettings", progress: Progress = lambda _: None) -> Path:
    """Write the page into a folder; gives its path. Raises MoodstreamError."""
    catalogue = open_songs(settings.catalogue)
    progress("moods by every method")
    by_method = {method: song_moods.fit(catalogue, method) for method in song_moods.METHODS}
    progress("drawing")
    page = _page(catalogue, by_method[settings.song_moods], by_method, settings.song_moods)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PAGE).write_text(page, encoding="utf-8")
    except OSError as error:
        raise MoodstreamError(f"cannot write the report into {folder}: {error.strerror}") from None
    return folder / PAGE


def compare_methods(
    catalogue: Catalogue, by_method: dict[song_moods.Method, SongMoods], used: SongMoods
) -> list[MethodComparison]:
    """How well each method tells songs apart in the article's components, and how far it agrees with the one used."""
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    points = song_moods.components(catalogue)
    some = np.sort(np.random.default_rng(0).permutation(len(points))[:SAMPLE_SIZE])
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


def _page(
    catalogue: Catalogue, used: SongMoods, by_method: dict[song_moods.Method, SongMoods], method: song_moods.Method
) -> str:
    article = by_method["article"]
    parts = [
        _section("Songs per mood", f"Moods by the method “{method}”.", plots.songs_per_mood(used)),
        _section(
            "Where the moods lie",
            "Each dot is a song; coloured are those of the mood. Listeners go by more than valence and energy.",
            plots.mood_plane(catalogue, used),
        ),
        _genres(catalogue, used),
        _section(
            "Which features go together",
            "1: they rise together; -1: one rises as the other falls; 0: they know nothing of each other.",
            plots.correlations(catalogue),
        ),
        _section(
            "How many directions songs differ in",
            "Principal components of the standardised features.",
            plots.scree(catalogue),
        ),
        _section(
            "The article's clusters",
            "Four clusters of k-means over four components, seen in the first two; large dots are their centres.",
            plots.component_plane(song_moods.components(catalogue), article),
        ),
        _section(
            "The article's clusters in valence and energy",
            ". ".join(("A cluster has the mood of the quadrant that its centre lies in", *article.notes)) + ".",
            plots.mood_plane(catalogue, article),
        ),
        *_oddities(catalogue),
        _table(compare_methods(catalogue, by_method, used), method),
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Songs and their moods</title><style>{STYLE}</style><main><h1>Songs and their moods</h1>"
        f"<p>{len(catalogue):,} songs.</p>{''.join(parts)}</main></html>\n"
    )


def _section(title: str, text: str, inside: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{inside}</section>"


def _oddities(catalogue: Catalogue) -> list[str]:
    found = find_oddities(catalogue)
    text = "Pieces that are no songs, and songs of a season, which are heard in season only."
    return [_section("What is not offered", text, oddity_table(found))] if found else []


def _genres(catalogue: Catalogue, moods: SongMoods) -> str:
    picture = plots.genres_per_mood(catalogue, moods)
    text = "The commonest genres of the catalogue." if picture else "This catalogue knows no genres."
    return _section("Genres and moods", text, picture or "")


def _table(rows: list[MethodComparison], used: str) -> str:
    head = "".join(f"<th>{mood.value}" for mood in MOODS)
    lines = "".join(
        f"<tr><td>{row.name}" + "".join(f"<td>{size:,}" for size in row.sizes) + f"<td>{_number(row.silhouette)}"
        f"<td>{_number(row.davies_bouldin)}<td>{100 * row.agreement:.0f} %"
        for row in rows
    )
    return _section(
        "The methods compared",
        "Silhouette (higher) and Davies-Bouldin (lower) say how well moods are told apart in the article's components; "
        f"agreement is the share of songs with the same mood as by “{used}”.",
        '<div class="scroll"><table><tr><th>method' + head + f"<th>silhouette<th>Davies-Bouldin<th>agreement{lines}"
        "</table></div>",
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
