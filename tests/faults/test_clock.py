"""The clock of the machine is set forward and back by two hours, under the services and not under Redis."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shared.events import MoodChanged, PlaybackChanged, StatusChanged
from tests.conftest import missing
from tests.faults.chaos import sessions
from tests.faults.parts import Part, running, waited
from tests.faults.server import Server

STEPS_S = (7200, -7200)
SOON_S = 40.0
"""A mood of the drawn face takes five seconds, an empty room four."""


@pytest.fixture
def clock(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A file that says how far the clock is off, and the environment in which it is believed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        missing("libfaketime")
    file = tmp_path / "clock"
    file.write_text("+0")
    return file, {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_CACHE_DURATION": "1",
        "NO_FAKE_STAT": "1",
        "XDG_DATA_HOME": str(tmp_path),
    }


def test_the_music_goes_on_when_the_clock_is_set(tmp_path: Path, clock: tuple[Path, dict[str, str]]) -> None:
    file, environment = clock
    with Server(tmp_path / "redis") as server, server.client() as client:
        settings = {"player": "log", "auto": "true", "song_at_least_s": "0", "frame_rate": "6"}
        names = ("camera", "emotion", "recommender", "player")
        parts = [Part(name, f"services.{name}.main", tmp_path, server.url, environment, **settings) for name in names]
        with running(*parts):
            waited(lambda: plays(client), SOON_S)
            took_s = []
            for step_s, number in zip(STEPS_S, count(1), strict=False):
                before = len(plays(client))
                file.write_text(f"{step_s:+d}")
                took_s.append(waited(lambda: len(plays(client)) > before, SOON_S))  # noqa: B023
                assert (plays(client)[-1].at - plays(client)[0].at).total_seconds() * step_s > 0, number
            assert [part.ends for part in parts] == [[]] * 4
            told = told_of(client, "mood:moods", MoodChanged)
            assert {one.state for one in told_of(client, "mood:status", StatusChanged)} <= {"online"}
            assert client.xlen("mood:picks:dead") == 0
    assert sessions(told) == []
    print(f"next play {took_s[0]:.1f} s after +2 h, {took_s[1]:.1f} s after -4 h")


def plays(client: Any) -> list[PlaybackChanged]:
    return [one for one in told_of(client, "mood:playback", PlaybackChanged) if one.state == "playing"]


def told_of(client: Any, stream: str, kind: Any) -> list[Any]:
    return [kind.model_validate_json(fields[b"__data__"]) for _, fields in client.xrange(stream)]
