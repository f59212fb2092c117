"""``moodstream read --explain`` gives the reason that the gates gave, in figures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from moodstream.contracts.events import FaceRead, Probabilities
from moodstream.contracts.moods import Mood
from services.__main__ import main
from services.camera.drawn import pattern
from services.emotion.faces.classifier import Classifier
from services.emotion.faces.reader import Reader
from services.emotion.main import EmotionSettings, create_reader
from services.emotion.offline.explain import explain
from services.emotion.offline.files import read_file
from services.emotion.visits.smoothing import Steadiness
from shared.settings import load

SURE = Steadiness()


@pytest.fixture(scope="module")
def reader() -> Reader:
    return create_reader(load(EmotionSettings))


def drawn(gain: float = 1.0, blur_px: float = 0.0) -> "np.typing.NDArray[np.uint8]":
    picture = cv2.cvtColor(pattern.draw(1.0), cv2.COLOR_BGR2GRAY).astype(np.float32) * gain
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur_px), np.float32) if blur_px else picture
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def test_a_good_face_passes_everything_but_perhaps_the_sureness(reader: Reader) -> None:
    [face] = reader.read_picture(drawn())
    figures = explain(drawn(), face, SURE)
    assert face.refused is None
    assert [figure.what for figure in figures[-2:]] == ["confidence", "lead over the second mood"]
    assert all(figure.ok for figure in figures[:-2])
    assert figures[-2].value == pytest.approx(face.confidence)


@pytest.mark.parametrize(("gain", "blur_px", "reason"), [(0.12, 0.0, "too dark"), (1.0, 9.0, "blurred")])
def test_a_refused_face_tells_the_gate_s_reason(reader: Reader, gain: float, blur_px: float, reason: str) -> None:
    grey = drawn(gain, blur_px)
    [sharp] = reader.read_picture(drawn())
    face = sharp.model_copy(update={"refused": reason})
    wrong = [figure for figure in explain(grey, face, SURE) if not figure.ok]
    assert reason in wrong[0].otherwise
    assert wrong[0].otherwise in wrong[0].as_text()


def test_an_undecided_face_is_told_to_be_unsure() -> None:
    shares = Probabilities(angry=0.1, happy=0.2, sad=0.34, calm=0.36)
    face = FaceRead(box=(200, 100, 200, 200), mood=Mood.CALM, confidence=0.36, probabilities=shares)
    confidence, lead = explain(drawn(), face, SURE)[-2:]
    assert (confidence.ok, lead.ok) == (False, False)
    assert lead.value == pytest.approx(0.02)


def test_a_face_that_a_detector_refuses_is_not_said_to_be_fine() -> None:
    shares = Probabilities(angry=0.0, happy=1.0, sad=0.0, calm=0.0)
    face = FaceRead(
        box=(220, 120, 200, 200), mood=Mood.HAPPY, confidence=1.0, probabilities=shares, refused="turned away"
    )
    assert [figure.otherwise for figure in explain(drawn(), face, SURE) if not figure.ok] == ["turned away"]


def test_the_form_of_the_output_changes_only_when_asked(reader: Reader, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), drawn())
    [plain] = read_file(reader, tmp_path / "face.png")
    [told] = read_file(reader, tmp_path / "face.png", SURE)
    [face] = told["faces"]
    figures = face.pop("explained")
    assert told == plain
    assert {"code", "what", "value", "least", "most", "ok", "otherwise", "told"} == set(figures[0])
    assert json.loads(json.dumps(figures)) == figures


def test_the_command_tells_it_to_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), drawn())
    assert main(["read", "--explain", str(tmp_path / "face.png")]) == 0
    first, *asked = capsys.readouterr().out.splitlines()
    assert first.startswith(str(tmp_path / "face.png"))
    assert [line.split()[0] for line in asked][:2] == ["side", "share"]
    assert f"at least {Classifier().unsure_below:g}" in next(line for line in asked if "confidence" in line)
