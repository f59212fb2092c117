"""The two face detectors."""

import pytest

from services.emotion.faces.haar import HaarDetector
from services.emotion.faces.yunet import YuNetDetector


@pytest.fixture(scope="module")
def haar() -> HaarDetector:
    return HaarDetector()


@pytest.fixture(scope="module")
def yunet() -> YuNetDetector:
    return YuNetDetector()
