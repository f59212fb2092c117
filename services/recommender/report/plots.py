"""The pictures of the report, as SVG text."""

import io
from typing import Any

import numpy as np
import pandas as pd

from moodstream.contracts.moods import MOODS
from moodstream.errors import MoodstreamError
from services.recommender.catalogue.table import FEATURES, NUMBERS, Catalogue, Floats
from services.recommender.models.clusters import Codes
from services.recommender.models.song_moods import SongMoods

COLOURS = {"angry": "#c0392b", "happy": "#e0a100", "sad": "#2f6db3", "calm": "#2e8b6f"}
INK, PALE = "#222831", "#9aa3ad"
MAX_POINTS = 4_000
MAX_GENRES = 12
WORD_GAP = 0.15
"""radians between two words around the circle"""


def correlations(catalogue: Catalogue) -> str:
    points = catalogue.standardised
    matrix = points.T @ points / len(points)
    figure, axes = _figure(7.2, 6)
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set_xticks(range(len(FEATURES)), FEATURES, rotation=45, ha="right")
    axes.set_yticks(range(len(FEATURES)), FEATURES)
    for row, column in np.ndindex(matrix.shape):
        value = matrix[row, column]
        shade = "white" if abs(value) > 0.6 else INK
        axes.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=8, color=shade)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.8, label="correlation")
    return _svg(figure)


def scree(catalogue: Catalogue) -> str:
    """How much of the variance each principal component holds."""
    values = np.linalg.eigvalsh(np.cov(catalogue.standardised.T))[::-1].clip(0)
    shares = values / max(values.sum(), 1e-12)
    numbers = np.arange(1, len(shares) + 1)
    figure, axes = _figure(7.2, 4)
    axes.bar(numbers, 100 * shares, color="#4a7fb5", label="one component")
    axes.plot(numbers, 100 * shares.cumsum(), color=INK, marker="o", markersize=4, label="all up to it")
    axes.axvline(4.5, color=PALE, linestyle="--", linewidth=1)
    axes.text(4.6, 98, "the article keeps four", color=INK, fontsize=9)
    axes.set(xlabel="principal component", ylabel="share of the variance, %", ylim=(0, 105), xticks=numbers)
    axes.legend(frameon=False, loc="center right")
    return _svg(figure)


def component_plane(components: Floats, moods: SongMoods) -> str:
    some = _some(len(components))
    figure, axes = _figure(7.2, 5.2)
    _scatter(axes, components[some, 0], components[some, 1], moods.codes[some])
    axes.set(xlabel="first principal component", ylabel="second principal component")
    return _svg(figure)


def mood_plane(catalogue: Catalogue, moods: SongMoods) -> str:
    """Spotify's valence and energy, a field for each mood: where its songs lie among all."""
    some = _some(len(catalogue))
    plane = catalogue.features[:, [FEATURES.index("valence"), FEATURES.index("energy")]]
    figure, fields = _figures(7.2, 6.4, 2, 2)
    for axes, code in zip(fields.flat, range(len(MOODS)), strict=True):
        own = moods.codes[some] == code
        name = MOODS[code].value
        axes.scatter(*plane[some][~own].T, s=3, color="#e3e6ea", linewidths=0, rasterized=True)
        axes.scatter(*plane[some][own].T, s=4, color=COLOURS[name], alpha=0.5, linewidths=0, rasterized=True)
        axes.set(title=name, xlim=(0, 1), ylim=(0, 1))
    figure.supxlabel("valence", fontsize=10)
    figure.supylabel("energy", fontsize=10)
    return _svg(figure)


def songs_per_mood(moods: SongMoods) -> str:
    counts = np.bincount(moods.codes, minlength=len(MOODS))
    figure, axes = _figure(7.2, 2.6)
    names = [mood.value for mood in MOODS]
    bars = axes.barh(names, counts, color=[COLOURS[name] for name in names])
    axes.bar_label(bars, [f"{count:,}  ({100 * count / counts.sum():.0f} %)" for count in counts], padding=4)
    axes.set(xlabel="songs", xlim=(0, 1.25 * counts.max()))
    axes.invert_yaxis()
    return _svg(figure)


def genres_per_mood(catalogue: Catalogue, moods: SongMoods) -> str | None:
    """The shares of the moods within the commonest genres; None when no genre is known."""
    genre = catalogue.frame["genre"].str.strip()
    common = genre[genre != ""].value_counts().index[:MAX_GENRES]
    if not len(common):
        return None
    counts = np.array([np.bincount(moods.codes[(genre == name).to_numpy()], minlength=4) for name in common])
    shares = counts / counts.sum(axis=1, keepdims=True)
    order = np.argsort(-shares[:, 1])
    figure, axes = _figure(7.2, 1.2 + 0.36 * len(common))
    left = np.zeros(len(common))
    for code, mood in enumerate(MOODS):
        widths = 100 * shares[order, code]
        axes.barh([str(common[at]) for at in order], widths, left=left, color=COLOURS[mood.value], label=mood.value)
        left += widths
    axes.set(xlabel="share of the genre's songs, %", xlim=(0, 100))
    axes.invert_yaxis()
    axes.legend(ncols=4, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return _svg(figure)


def circumplex(places: pd.DataFrame, moods: SongMoods) -> str:
    """Russell's circle with its words, the songs, the middles of the moods and where moods of faces lie."""
    some = _some(len(moods.codes))
    figure, axes = _figure(7.2, 7.2)
    axes.add_patch(_circle())
    colours = np.array([COLOURS[mood.value] for mood in MOODS])
    axes.scatter(
        *moods.plane[some].T,
        s=4,
        c=colours[moods.codes[some]],
        alpha=0.35,
        linewidths=0,
        rasterized=True,
    )
    for kind, marker, size in (("songs", "o", 150), ("article's cluster", "s", 90), ("face", "*", 190)):
        own = places[places["kind"] == kind]
        shades = [COLOURS[name] for name in own["name"]]
        style = {"c": shades, "edgecolors": "white", "linewidths": 1.5, "zorder": 3}
        axes.scatter(own["valence"], own["arousal"], s=size, marker=marker, **style)
        shown = {"songs": "middle of a mood's songs", "face": "a face of this mood"}.get(kind, "the article's cluster")
        axes.scatter([], [], s=60, marker=marker, color=PALE, label=shown)
    _write_around(axes, places[places["kind"] == "word"].reset_index(drop=True))
    axes.axhline(0, color=PALE, linewidth=0.8)
    axes.axvline(0, color=PALE, linewidth=0.8)
    axes.set(xlim=(-1.45, 1.45), ylim=(-1.3, 1.3), aspect="equal", xlabel="valence", ylabel="arousal")
    axes.legend(frameon=False, loc="lower center", ncols=2, bbox_to_anchor=(0.5, 1.0), fontsize=9)
    return _svg(figure)


def _write_around(axes: Any, words: pd.DataFrame) -> None:
    """Words outside the circle, each joined to its place on it, and moved along it where others stand."""
    places = np.sort(np.arctan2(words["arousal"], words["valence"]))
    words = words.iloc[np.argsort(np.arctan2(words["arousal"], words["valence"]), kind="stable")]
    shown = places.copy()
    for _ in range(200):
        gaps = np.diff(np.append(shown, shown[0] + 2 * np.pi))
        lack = (WORD_GAP - gaps).clip(0) / 2
        shown = shown - lack + np.roll(lack, 1)
    for word, place, turned in zip(words["name"], places, shown, strict=True):
        out = np.array([np.cos(turned), np.sin(turned)])
        axes.plot(*zip((np.cos(place), np.sin(place)), 1.09 * out, strict=True), color=PALE, linewidth=0.6)
        side = "left" if out[0] >= 0 else "right"
        axes.text(*(1.11 * out), word, ha=side, va="center", fontsize=8, color=INK)


def _circle() -> Any:
    from matplotlib.patches import Circle

    return Circle((0, 0), 1, fill=False, color=PALE, linewidth=1)


def distributions(before: pd.DataFrame, after: Catalogue) -> str:
    """A small histogram for each feature: grey the rows of the table, coloured the songs that are left."""
    figure, fields = _figures(7.2, 7.2, 4, 3)
    for axes, name in zip(fields.flat, NUMBERS, strict=True):
        kept = after.frame[name].to_numpy(dtype=np.float64)
        every = before[name].dropna().to_numpy(dtype=np.float64) if name in before else kept
        low, high = np.quantile(kept, [0.002, 0.998])
        edges = np.linspace(low, high if high > low else low + 1, 31)
        axes.hist(every.clip(edges[0], edges[-1]), edges, color="#c9d0d8")
        axes.hist(kept.clip(edges[0], edges[-1]), edges, color="#4a7fb5", alpha=0.85)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
    return _svg(figure)


def elbow(table: pd.DataFrame) -> str:
    figure, axes = _figure(7.2, 3.6)
    axes.plot(table["k"], table["inertia"], color=INK, marker="o", markersize=4)
    axes.set(xlabel="number of clusters", ylabel="spread that is left")
    other = axes.twinx()
    other.plot(table["k"], table["silhouette"], color="#c0392b", marker="s", markersize=4)
    other.set_ylabel("silhouette", color="#c0392b")
    axes.axvline(4, color=PALE, linestyle="--", linewidth=1)
    return _svg(figure)


def _scatter(axes: Any, x: Floats, y: Floats, codes: Codes) -> None:
    order = np.random.default_rng(0).permutation(len(codes))  # else the last mood covers the others
    colours = np.array([COLOURS[mood.value] for mood in MOODS])
    axes.scatter(x[order], y[order], s=5, c=colours[codes[order]], alpha=0.5, linewidths=0, rasterized=True)
    for code, mood in enumerate(MOODS):
        axes.scatter([], [], s=30, color=colours[code], label=mood.value)
        if (codes == code).any():
            centre = x[codes == code].mean(), y[codes == code].mean()
            axes.scatter(*centre, s=130, color=colours[code], edgecolors="white", linewidths=2, zorder=3)
    axes.legend(frameon=False, loc="upper right", ncols=2)


def _some(count: int) -> Codes:
    return np.sort(np.random.default_rng(0).permutation(count)[:MAX_POINTS])


def _figure(width: float, height: float) -> tuple[Any, Any]:
    return _figures(width, height, 1, 1)


def _figures(width: float, height: float, rows: int, columns: int) -> tuple[Any, Any]:
    # An extra, which the service itself never needs.
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise MoodstreamError("the report needs an extra: pip install 'moodstream[report]'") from None
    style: Any = {
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": PALE,
        "text.color": INK,
        "axes.labelcolor": INK,
        "svg.fonttype": "none",
        "svg.hashsalt": "moodstream",
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns)


def _svg(figure: Any) -> str:
    import matplotlib as mpl

    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "moodstream", "font.family": "sans-serif"}):
        figure.savefig(text, format="svg", transparent=True, dpi=130, metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
