"""The whole chain with its Redis at the end of a slow line. `make slow-line` tries more lines, for longer."""

import urllib.request
from pathlib import Path

from moodstream.contracts.events import MoodChanged, StatusChanged
from moodstream.contracts.status_codes import StatusCode
from tests.support.chaos import audit, chain, rest, run

SLOW_S = 0.8
"""What is promised ends a little above it."""
FOR_S = 6.0


def test_nothing_is_lost_at_the_end_of_a_slow_line_and_everybody_is_told(tmp_path: Path) -> None:
    with chain(tmp_path, together=True, round_trip_s=SLOW_S) as whole:
        [part] = whole.parts.values()
        run(whole, 0, FOR_S, [])
        rest(whole)
        found = audit(whole, [])
        print(found.counts)
        with urllib.request.urlopen(f"http://127.0.0.1:{part.port}/health/ready", timeout=8) as answer:
            ready = answer.read()
        moods, told = whole.entries(MoodChanged), whole.entries(StatusChanged)
    assert found.faults == [], part.text()[-3_000:]
    assert found.counts["process ends"] == 0
    assert found.counts["rankings"] >= 8
    assert found.counts["plays"] >= 1
    assert any(one.camera_id == "camera-1" and one.phase == "start" for one in moods), "the camera's own visitor"
    assert b'"slow_line":true' in ready
    slow = {one.service for one in told if one.state == "degraded" and one.code == StatusCode.SLOW_LINE}
    assert slow >= {"camera", "emotion", "recommender", "player", "gateway"}
