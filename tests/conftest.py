"""Fixtures: a real server for every test that speaks to Redis, and the reference data where it exists."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings as hypothesis_settings

from shared.embedded_redis import embedded_redis

REFERENCE = Path(os.environ.get("MOODSTREAM_REFERENCE", Path(__file__).parents[2] / "shared" / "data"))

hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


def missing(what: str) -> NoReturn:
    """A part that a test needs is not here: CI fails, elsewhere the test is skipped and says why."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"needs {what}", allow_module_level=True)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of the reference data (tests that use it carry the mark ``reference``)."""
    if not REFERENCE.is_dir():
        missing(f"the reference data in {REFERENCE.name} (MOODSTREAM_REFERENCE)")
    return REFERENCE


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A fresh, empty server of one's own."""
    with embedded_redis() as url:
        yield url
