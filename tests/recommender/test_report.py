"""The page about a catalogue: every picture is there, and nothing comes from elsewhere."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from services.__main__ import main
from services.recommender.catalogue.table import Catalogue
from services.recommender.models import song_moods
from services.recommender.report.page import compare_methods
from tests.support.random_songs import saved, table


@pytest.mark.slow
def test_the_page_has_every_picture_and_needs_nothing_from_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = table(400)
    raw.loc[:9, "tempo"] = 0
    raw.to_csv(tmp_path / "raw.csv", index=False)
    where = ["--catalogue", str(saved(tmp_path, 400)), "--table", str(tmp_path / "raw.csv")]
    assert main(["songs", "report", str(tmp_path / "report"), *where]) == 0
    page = Path(capsys.readouterr().out.strip())
    text = page.read_text(encoding="utf-8")
    assert text.count("<section>") == 15
    assert text.count("<svg") == 10
    for word in (
        "correlation",
        "principal component",
        "valence",
        "energy",
        "angry",
        "folk",
        "Davies-Bouldin",
        "Mahalanobis",
        "silhouette",
        "serene",
        "DBSCAN",
        "against",
        *song_moods.METHODS,
    ):
        assert word in text
    links = set(re.findall(r"(?:src|href)=[\"'](?!data:|#)([^\"']+)", text))
    files = {file.name for file in page.parent.iterdir()}
    assert links == files - {"index.html"}
    numbers = json.loads((page.parent / "report.json").read_text(encoding="utf-8"))
    assert {f"{name}.csv" for name in numbers} == files - {"index.html", "report.json"}
    for name, rows in numbers.items():
        assert len(pd.read_csv(page.parent / f"{name}.csv")) == len(rows) > 0
    assert sum(row["songs"] for row in numbers["songs_per_mood"]) == 400
    assert sum(row["songs"] for row in numbers["genres"]) == 400
    assert numbers["components"][-1]["cumulated"] == pytest.approx(1, abs=1e-3)
    least = {row["stage"]: row["min"] for row in numbers["distributions"] if row["feature"] == "tempo"}
    assert least["before"] == 0 < least["after"]
    assert [row["k"] for row in numbers["clusters_by_k"]] == list(range(2, 11))
    found = [row for row in numbers["densities"] if row["method"] == "dbscan"]
    assert found[0]["noise"] < found[-1]["noise"]


@pytest.mark.slow
def test_a_catalogue_without_genres_has_a_page_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    songs = Catalogue(table(100).assign(genre=""))
    songs.save(tmp_path / "catalogue.parquet")
    assert main(["songs", "report", str(tmp_path), "--catalogue", str(tmp_path / "catalogue.parquet")]) == 0
    assert "knows no genres" in Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8")


def test_methods_are_compared_by_size_separation_and_agreement() -> None:
    songs = Catalogue(table(300))
    by_method = {method: song_moods.fit(songs, method) for method in song_moods.METHODS}
    compared = {row.name: row for row in compare_methods(songs, by_method, by_method["article"])}
    assert compared["article"].agreement == 1
    assert all(sum(row.sizes) == 300 for row in compared.values())
    silhouettes = {name: row.silhouette for name, row in compared.items()}
    assert silhouettes["article"] is not None
    assert silhouettes["quadrant"] is not None
    assert silhouettes["article"] > silhouettes["quadrant"]
