"""What was read, drawn into pictures and videos: an album of a folder, a film that a browser plays."""

import base64
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import async_playwright

from moodstream.contracts.events import FaceRead, Probabilities
from moodstream.contracts.moods import Mood
from services.__main__ import main
from services.camera.drawn import pattern
from services.emotion.offline.drawing import COLOURS, draw_faces
from services.emotion.offline.film import writing_film
from tests.support.needs import missing
from tests.support.page.browser import CHROMIUM, QUIET
from tests.support.pictures import noise

RATE, FRAMES = 5, 8


def drawn_video(path: Path, height: int = 480, width: int = 640) -> Path:
    """The drawn face for a second and a half."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (width, height))
    for frame in range(FRAMES):
        writer.write(cv2.resize(pattern.draw(3 + frame / RATE), (width, height)))
    writer.release()
    return path


def happy(box: tuple[int, int, int, int], refused: str | None = None) -> FaceRead:
    shares = Probabilities(angry=0.05, happy=0.8, sad=0.05, calm=0.1)
    return FaceRead(box=box, mood=Mood.HAPPY, confidence=0.8, probabilities=shares, refused=refused)


def has(picture: "np.typing.NDArray[np.uint8]", mood: Mood) -> int:
    """How many pixels have exactly the colour of a mood."""
    return int((picture == COLOURS[mood]).all(axis=2).sum())


@pytest.mark.parametrize("scale", [0.5, 2])
@pytest.mark.parametrize("box", [(100, 80, 200, 200), (420, 100, 200, 200), (300, 200, 30, 30), (-20, -20, 100, 100)])
def test_a_face_has_a_box_a_label_and_four_bars(box: tuple[int, int, int, int], scale: float) -> None:
    grey = np.full((round(480 * scale), round(640 * scale), 3), 90, np.uint8)
    at = tuple(round(scale * value) for value in box)
    drawn = draw_faces(grey, [happy((at[0], at[1], at[2], at[3]))])
    assert (grey == 90).all(), "the picture itself stays as it is"
    for mood in (Mood.ANGRY, Mood.HAPPY, Mood.SAD, Mood.CALM):
        assert has(drawn, mood) > 0
    assert has(drawn, Mood.HAPPY) > 4 * has(drawn, Mood.CALM)


def test_a_refused_face_looks_refused() -> None:
    drawn = draw_faces(np.zeros((480, 640, 3), np.uint8), [happy((100, 80, 200, 200), "too dark")])
    assert has(drawn, Mood.UNSURE) > 500


def test_a_folder_is_read_and_drawn_into_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, album = tmp_path / "party", tmp_path / "album"
    (folder / "more").mkdir(parents=True)
    drawn_video(folder / "clip.avi")
    cv2.imwrite(str(folder / "face.png"), pattern.draw(4.0))
    cv2.imwrite(str(folder / "more" / "face.png"), pattern.draw(4.0))
    (folder / "notes.txt").write_text("no picture")
    arguments = ["read", "--json", "--draw", str(album), str(folder), str(folder / "more" / "face.png")]
    assert main(arguments) == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(one["file"]).name for one in results] == ["clip.avi"] * 3 + ["face.png"] * 2
    assert all(one["faces"] for one in results)
    names = [Path(one["drawn"]).name for one in results]
    assert names[0] == "clip-00000.00s-drawn.jpg"
    assert names[-2:] == ["face-drawn.jpg", "face-2-drawn.jpg"]
    assert sorted(names) == sorted(path.name for path in album.iterdir())
    drawn = cv2.imread(results[-1]["drawn"])
    assert drawn is not None
    changed = np.abs(drawn.astype(int) - pattern.draw(4.0)) > 60
    assert changed.any(axis=2).sum() > 1000, "boxes, labels and bars"
    assert main(["read", "--draw", str(folder), str(folder)]) == 1
    assert "another folder" in capsys.readouterr().err


def test_an_empty_folder_and_a_folder_that_is_a_file_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    assert main(["read", str(tmp_path / "empty")]) == 1
    assert "no pictures or videos" in capsys.readouterr().out
    assert main(["read", "--draw", str(tmp_path / "file" / "in"), str(tmp_path / "empty")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.avi", ".mp4 or .webm"),
        ("out", ".mp4 or .webm"),
        ("none/out.mp4", "no folder"),
        ("folder.mp4", "no file"),
        ("clip.mp4", "would replace"),
    ],
)
def test_where_no_film_can_be_written_is_one_line_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    (tmp_path / "folder.mp4").mkdir()
    source = drawn_video(tmp_path / "clip.avi").rename(tmp_path / "clip.mp4")
    before = source.read_bytes()
    assert main(["replay", str(source), "--video", str(tmp_path / name)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert source.read_bytes() == before


def broken_off(path: Path) -> None:
    with writing_film(path, RATE) as film:
        for frame in range(4):
            film.add(np.full((91, 121, 3), 60 * frame, np.uint8), frame / RATE)
        raise KeyboardInterrupt


def test_a_film_that_is_broken_off_can_be_played_as_far_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("of before")
    with pytest.raises(KeyboardInterrupt), writing_film(path, RATE):
        raise KeyboardInterrupt
    assert path.read_text() == "of before", "no picture, no film"
    with pytest.raises(KeyboardInterrupt):
        broken_off(path)
    video = cv2.VideoCapture(str(path))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == 4
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (122, 92)
    video.release()
    assert [each.name for each in tmp_path.iterdir()] == ["out.mp4"]


PLAY = """async (source) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = source;
  await video.play();
  await new Promise((resolve, reject) => { video.onended = resolve; video.onerror = reject; });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const drawing = canvas.getContext("2d");
  drawing.drawImage(video, 0, 0);
  const pixels = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
  return { size: [video.videoWidth, video.videoHeight], seconds: video.duration, pixels: new Set(pixels).size };
}"""


async def test_a_browser_plays_what_replay_has_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not shutil.which(CHROMIUM):
        missing("chromium")
    clip = drawn_video(tmp_path / "clip.avi")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = await browser.new_page()
        for kind in ("mp4", "webm"):
            out = tmp_path / f"out.{kind}"
            assert main(["replay", str(clip), "--video", str(out)]) == 0
            assert len(capsys.readouterr().out.splitlines()) == FRAMES
            source = f"data:video/{kind};base64,{base64.b64encode(out.read_bytes()).decode()}"
            played = await page.evaluate(PLAY, source)
            assert played["size"] == [640, 480]
            assert played["seconds"] == pytest.approx(FRAMES / RATE, abs=0.35)
            assert played["pixels"] > 50, "a picture, not a plain surface"
        await browser.close()


def test_what_shows_no_face_is_drawn_as_it_is() -> None:
    picture = np.dstack([noise(120, 160)] * 3)
    assert (draw_faces(picture, []) == picture).all()
