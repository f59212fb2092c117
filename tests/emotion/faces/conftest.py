"""The two face detectors."""

from pathlib import Path

import pytest

from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.yunet import YuNetDetector


@pytest.fixture(scope="module")
def haar() -> HaarDetector:
    return HaarDetector()


@pytest.fixture(scope="module")
def yunet(reference: Path) -> YuNetDetector:
    return YuNetDetector(reference / "models" / "yunet_n_dynamic.onnx")
