"""The reference videos give the moods that a person would write down, at any frame rate and with either detector."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from moodstream.contracts.moods import Mood
from moodstream.errors import MoodstreamError
from services.emotion.main import EmotionSettings, create_reader
from services.emotion.offline.film import writing_film
from services.emotion.offline.replay import replay
from shared.settings import load

EXPECTED = json.loads((Path(__file__).parents[1] / "expectations.json").read_text())


def changes(video: Path, rate: float, **settings: object) -> list[tuple[Mood, float]]:
    """Moods that were named, and when; unsure ones are no claim, and are passed over."""
    given = load(EmotionSettings, **settings)
    moments = replay(video, create_reader(given), given.thresholds(), rate)
    named: list[tuple[Mood, float]] = []
    for moment in moments:
        mood = moment.mood.mood if moment.mood else Mood.NOBODY
        if moment.changed and mood is not Mood.UNSURE and (not named or named[-1][0] != mood):
            named.append((mood, moment.time_s))
    return named


@pytest.mark.reference
@pytest.mark.parametrize("rate", [6, 12, 30])
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_moods_of_a_video(name: str, rate: float, reference: Path) -> None:
    assert_as_expected(name, changes(reference / "video" / name, rate))


@pytest.mark.reference
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_moods_of_a_video_through_haar(name: str, reference: Path) -> None:
    assert_as_expected(name, changes(reference / "video" / name, 10, detector="haar"))


def assert_as_expected(name: str, named: list[tuple[Mood, float]]) -> None:
    expected = EXPECTED[name]["moods"]
    assert [mood for mood, _ in named] == [one["mood"] for one in expected]
    for (_, at_s), one in zip(named, expected, strict=True):
        assert one["between_s"][0] <= at_s <= one["between_s"][1]
    assert all(later > earlier for (_, earlier), (_, later) in pairwise(named))


@pytest.mark.reference
def test_a_replay_can_be_drawn(reference: Path, tmp_path: Path) -> None:
    import cv2

    given = load(EmotionSettings)
    moments = replay(reference / "video" / "face_noface.mov", create_reader(given), given.thresholds(), 5)
    with writing_film(tmp_path / "out.mp4", 5) as film:
        frames = []
        for moment in moments:
            film.add(moment.drawn(), moment.time_s)
            frames.append(moment)
    video = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == len(frames) > 20
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 640
    video.release()
    assert "happy" in " ".join(moment.as_text() for moment in frames)
    assert json.loads(json.dumps(frames[-1].as_dict()))["steady"] is None


def test_what_is_no_video_is_one_line(tmp_path: Path) -> None:
    given = load(EmotionSettings)
    (tmp_path / "text.mp4").write_text("no video")
    for name in ("text.mp4", "none.mp4"):
        with pytest.raises(MoodstreamError, match=name):
            list(replay(tmp_path / name, create_reader(given), given.thresholds(), 5))
