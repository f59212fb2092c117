"""The examples in docs/examples print the moods that are published."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, Queue
from typing import IO

import pytest

from shared.circumplex import Mood
from shared.live import connected
from tests.conftest import missing
from tests.gateway.running import Gateway
from tests.gateway.scenes import mood_changed, new_session

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
EXPECTED = "update happy 0.75"


@pytest.mark.parametrize("name", ["moods_redis.py", "moods_faststream.py", "moods_client.py", "moods.mjs"])
def test_the_example_prints_moods(redis_url: str, name: str) -> None:
    program = sys.executable if name.endswith(".py") else shutil.which("node")
    if program is None:
        missing("node")
    assert program is not None
    with Gateway(redis_url).run() as gateway:
        given = {"MOODSTREAM_REDIS_URL": redis_url, "MOODSTREAM_PAGE": gateway.url, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [program, str(EXAMPLES / name)], env=os.environ | given, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            assert first_line(redis_url, process.stdout) == EXPECTED
        finally:
            process.terminate()
            process.communicate(timeout=10)


def first_line(redis_url: str, output: IO[str]) -> str:
    """What the example says while moods are published."""
    lines: Queue[str] = Queue()

    def read() -> None:
        for line in output:
            if "INFO" not in line:  # FastStream logs to standard output
                lines.put(line)
                return

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + 20
    with connected(redis_url) as client:
        while time.monotonic() < deadline:
            mood = mood_changed(Mood.HAPPY, new_session(), confidence=0.75)
            client.xadd("mood:moods", {"__data__": mood.model_dump_json()})
            try:
                return lines.get(timeout=0.1).strip()
            except Empty:
                continue
    raise AssertionError("the example printed nothing")


def test_every_example_is_named_in_the_docs() -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    assert {file.name for file in EXAMPLES.iterdir() if f"examples/{file.name}" not in text} == set()
