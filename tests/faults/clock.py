"""The whole chain on a machine whose clock is set: ``python -m tests.faults.clock FOLDER``, begun by ``test_clock.py``.

This process, Redis and every service have loaded ``clock.c``: it adds what stands in a file, ``FAULT_CLOCK``.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from moodstream.contracts.events import MoodChanged, utc_now
from tests.support.chaos import audit, chain, rest, run
from tests.support.needs import ROOT, missing

FOR_S, MAX_S = 40.0, 200
STEPS_H = {8.0: 2, 18.0: -2, 28.0: 0}
"""Hours that the clock is off from so many seconds on."""
UNDER_WAY = timedelta(seconds=2)
"""A mood that is not answered so soon after it was made, because a step came between, has expired, rightly."""


def set_clock(hours: float, steps: list[datetime]) -> None:
    steps.append(utc_now())
    with Path(os.environ["FAULT_CLOCK"]).open("r+b") as file:  # in its place: others have it before their eyes
        file.write(struct.pack("q", int(hours * 3600 * 1e9)))


def main(folder: Path) -> None:
    steps: list[datetime] = []
    with chain(folder) as whole:
        for at_s, hours in STEPS_H.items():
            threading.Timer(at_s, set_clock, [hours, steps]).start()
        run(whole, 0, FOR_S, [])
        rest_s = rest(whole)
        whole.published = [
            one for one in whole.published if not any(step - UNDER_WAY <= one.at <= step for step in steps)
        ]
        found = audit(whole, [])
        told = [one for one in whole.entries(MoodChanged) if one.camera_id == "camera-1"]
    print(
        json.dumps(
            {
                "broken": found.faults,
                "dwells_s": [one.dwell_s for one in told],
                "phases": [one.phase for one in told],
                "rest_s": rest_s,
            }
            | found.counts
        )
    )


def try_it(folder: Path) -> dict[str, Any]:
    """What ``main`` found, in a process of its own whose clock can be set."""
    compiler = shutil.which("cc") or missing("a C compiler (cc)")
    library, clock = folder / "clock.so", folder / "clock"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    clock.write_bytes(bytes(8))
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.clock", folder / "chain"],
        cwd=ROOT,
        env=os.environ | {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(clock)},
        capture_output=True,
        text=True,
        timeout=MAX_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
