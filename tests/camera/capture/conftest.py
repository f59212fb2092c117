"""Streams are read through PyAV, or where that is not installed through OpenCV: both keep the same promises."""

import pytest

from services.camera.capture import camera_source


@pytest.fixture(params=["PyAV", "OpenCV"])
def either_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which of the two reads streams in this process."""
    if request.param == "OpenCV":
        monkeypatch.setattr(camera_source, "find_spec", lambda _: None)
    return str(request.param)
