"""Somebody sets the clock of the machine, two hours ahead and four back, while the whole chain is at work."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from services.camera.drawn.pattern import SCRIPT
from tests.support.needs import missing

HERE = Path(__file__).parent
MAX_S = 200
STAYS_S = sum(seconds for _, seconds in SCRIPT[:-1])
"""of the drawn face, before it walks away"""


def test_a_clock_that_is_set_loses_nothing_and_ends_no_visit(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or missing("a C compiler (cc)")
    library, clock = tmp_path / "clock.so", tmp_path / "clock"
    subprocess.run(
        [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, HERE / "clock.c"], check=True
    )
    clock.write_bytes(bytes(8))
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.clock", tmp_path / "chain"],
        cwd=HERE.parents[1],
        env=os.environ | {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(clock)},
        capture_output=True,
        text=True,
        timeout=MAX_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found["broken"] == []
    assert found["process ends"] == 0
    stays_s = [dwell for dwell, phase in zip(found["dwells_s"], found["phases"], strict=True) if phase == "end"]
    assert stays_s
    assert all(abs(stay - STAYS_S) < 2 for stay in stays_s), stays_s
    # a pick every half second; those in the moment of a step may have expired with their offer
    assert found["rankings"] >= 60
