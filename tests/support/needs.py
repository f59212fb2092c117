"""What a test needs and may not find: CI fails without it, elsewhere the test is skipped and says why."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = Path(os.environ.get("MOODSTREAM_REFERENCE", ROOT.parent / "shared" / "data"))


def missing(what: str) -> NoReturn:
    """A part that a test needs is not here."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"needs {what}", allow_module_level=True)
