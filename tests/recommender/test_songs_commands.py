"""``moodstream songs``: what is printed, what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.__main__ import main
from tests.support.random_songs import saved, table


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_reading_command_prints_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--catalogue", str(saved(tmp_path, 300)), "--json"]
    ids = table(300)["id"].tolist()
    assert main(["songs", "mood", *where]) == 0
    moods = {str(song["id"]): song["mood"] for song in printed(capsys)}
    assert set(moods) == set(ids)

    assert main(["songs", "similar", ids[0], ids[1], "-n", "0", *where]) == 0
    own = printed(capsys)
    assert main(["songs", "similar", ids[0], "-n", "0", "--any-mood", *where]) == 0
    (every,) = printed(capsys)
    assert [found["id"] for found in own] == ids[:2]
    for found in own:
        assert set(found) == {"id", "title", "ranking"}
        ranking = found["ranking"]
        assert isinstance(ranking, list)
        assert {moods[entry["id"]] for entry in ranking} == {moods[str(found["id"])]}
        assert all(set(entry) == {"id", "title", "similarity", "reason"} for entry in ranking)
    assert len(every["ranking"]) == 299  # type: ignore[arg-type]

    assert main(["songs", "find", "sonk", ids[0][-5:], "-n", "2", *where]) == 0
    songs: Any = printed(capsys)
    assert (songs[0]["id"], songs[0]["mood"], songs[0]["exact"]) == (ids[0], moods[ids[0]], False)
    assert main(["songs", "similar", ids[0], "-n", "1", *where[:-1]]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{ids[0]}  Song {ids[0][-5:]} - Artist ")
    assert re.search(r"Song \d{5} - Artist \d+  \(", second)

    assert main(["songs", "offer", "sad", "--seed", "7", *where]) == 0
    assert main(["songs", "offer", "sad", "--seed", "7", *where]) == 0
    one, two = printed(capsys)
    assert one == two
    assert len(one["songs"]) == 5  # type: ignore[arg-type]

    assert main(["songs", "path", ids[0], "--goal", "lift", "-n", "4", *where]) == 0
    (path,) = printed(capsys)
    assert len(path["songs"]) == 4  # type: ignore[arg-type]


def test_what_was_imported_is_told_as_a_page_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(20).rename(columns={"title": "Words"}).to_csv(tmp_path / "own.csv", index=False)
    target, page = tmp_path / "catalogue.parquet", tmp_path / "report.html"
    command = ["songs", "import", str(tmp_path / "own.csv"), "--catalogue", str(target), "--json"]
    assert main([*command, "--column", "title=words", "--report", str(page)]) == 0
    assert printed(capsys)[0]["kept"] == 20
    assert "20 kept" in page.read_text()
    assert main(command) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["proposed"]["title"]["column"] == "Words"
    assert "perhaps title=Words: if that is right, add --guess" in shown.err
    assert main([*command, "--guess"]) == 0
    capsys.readouterr()
    assert main([*command, "--column", "title"]) == 1
    assert "write it as OURS=THEIRS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["similar", "nothing"], 1),
        (["offer", "furious"], 2),
        (["path", "nothing", "--goal", "lift"], 1),
        (["similar"], 2),
        (["find", "quite something else"], 1),
        (["find", "x", "-n", "0"], 1),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    try:
        ended = main(["songs", *arguments, "--catalogue", str(saved(tmp_path, 20))])
    except SystemExit as error:
        ended = int(str(error.code))
    assert ended == code
    assert "Traceback" not in capsys.readouterr().err
