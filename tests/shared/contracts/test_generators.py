"""AsyncAPI's own tools read our document: run by `make asyncapi-try`, since they come from npm."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from moodstream.contracts.events import EVENTS
from moodstream.contracts.requests import KINDS
from tests.support.needs import missing

DOCUMENT = Path(__file__).parents[3] / "docs" / "asyncapi.json"
PACKAGES = "MOODSTREAM_ASYNCAPI"
"""Environment variable that names the folder with node_modules."""
WARNING = 1
"""Of the parser's severities 0 is an error, this a warning; higher ones are advice."""


def test_the_parser_has_no_complaint_and_the_generator_makes_classes(tmp_path: Path) -> None:
    if not (packages := os.environ.get(PACKAGES)):
        pytest.skip("installs AsyncAPI's tools: `make asyncapi-try` runs it")
    node = shutil.which("node") or missing("node")
    program = Path(__file__).with_name("generate.mjs")
    done = subprocess.run(
        [node, program, packages, DOCUMENT, tmp_path], capture_output=True, text=True, timeout=300, check=True
    )
    told = json.loads(done.stdout)
    assert [one for one in told["diagnostics"] if one["severity"] <= WARNING] == []
    document = json.loads(DOCUMENT.read_text())
    assert told["operations"] == len(document["operations"])
    asked = {f"{request.__name__}{end}" for request in KINDS.values() for end in ("Request", "Reply")}
    assert {event.__name__ for event in EVENTS} | asked <= set(told["models"])
    for name in told["models"]:
        compile((tmp_path / f"{name}.py").read_text(), name, "exec")
    for field in document["components"]["schemas"]["MoodChanged"]["properties"]:
        assert f"def {field}(self)" in (tmp_path / "MoodChanged.py").read_text()
