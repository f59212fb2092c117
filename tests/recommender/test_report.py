"""The page about a catalogue: every picture is there, and nothing comes from elsewhere."""

import re
from pathlib import Path

import pytest

from services.__main__ import main
from services.recommender.catalogue.table import Catalogue
from services.recommender.models import song_moods
from services.recommender.report.page import compare_methods
from tests.support.random_songs import saved, table


def test_the_page_has_every_picture_and_needs_nothing_from_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["songs", "report", str(tmp_path / "report"), "--catalogue", str(saved(tmp_path, 400))]) == 0
    page = Path(capsys.readouterr().out.strip())
    text = page.read_text(encoding="utf-8")
    assert text.count("<section>") == text.count("<svg") + 1 == 8
    for word in (
        "correlation",
        "principal component",
        "valence",
        "energy",
        "angry",
        "folk",
        "Davies-Bouldin",
        *song_moods.METHODS,
    ):
        assert word in text
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", text)
    assert [file.name for file in page.parent.iterdir()] == ["index.html"]


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
